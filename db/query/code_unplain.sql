-- the codes whose key or value is not plain ASCII: what there is of no other one can be a key of
-- another rule
SELECT id, key, coalesce(value, key) FROM code
WHERE id BETWEEN $first AND $last AND (strlen(key) <> length(key) OR strlen(value) <> length(value))
