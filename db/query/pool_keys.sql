-- all keys, packed into few rows: a row a code costs six times as much to fetch. Keys have no line
-- breaks; what follows each is its tag (keyPack)
SELECT min(id), string_agg(key
    || chr((983040 + (id & 4095) + CASE WHEN value IS NULL THEN 0 ELSE 4096 END)::INTEGER), chr(10))
FROM code
WHERE id BETWEEN $first AND $last
GROUP BY id >> 12
