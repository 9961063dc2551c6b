-- all keys, packed into few rows: a row a code costs six times as much to fetch. Keys have no line breaks; what follows each is a tag
SELECT id // $per_pack * $per_pack, string_agg(key || chr(($plane + id % $per_pack + CASE WHEN value IS NULL THEN 0 ELSE $per_pack END)::INTEGER), chr(10))
FROM code
WHERE id BETWEEN $first AND $last
GROUP BY id // $per_pack
