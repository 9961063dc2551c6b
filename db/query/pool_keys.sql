-- all keys, packed into few rows: a row a code costs four times as much to fetch. Keys have no line breaks
SELECT min(id), CASE WHEN count(*) < max(id) - min(id) + 1 THEN array_to_string(list_sort(list(id)), ' ') ELSE '' END, string_agg(key, chr(10) ORDER BY id)
FROM code
WHERE id BETWEEN $first AND $last
GROUP BY id // 4096
ORDER BY min(id)
