-- the number of a delivery's last round of log lines, and of its last line
SELECT coalesce(max(round), 0), coalesce(max(seq), 0) FROM delivery_log WHERE delivery_id = $id
