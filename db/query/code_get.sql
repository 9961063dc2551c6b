-- the values of codes
SELECT id, coalesce(value, key) FROM code WHERE id BETWEEN $first AND $last
