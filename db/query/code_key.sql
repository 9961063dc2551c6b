-- the keys of candidates, to compare
SELECT id, key FROM code WHERE id BETWEEN $first AND $last
