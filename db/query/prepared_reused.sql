-- how many messages carry a code again
SELECT count(*) FROM prepared WHERE reason IS NULL AND repeats_id IS NOT NULL
