-- the keys of candidates, to compare, and their values
SELECT id, key, coalesce(value, key) FROM code WHERE id BETWEEN $first AND $last
