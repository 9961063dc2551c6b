-- how many messages need a code with which label
SELECT label, count(*) FROM prepared WHERE reason IS NULL AND repeats_id IS NULL
GROUP BY label ORDER BY label
