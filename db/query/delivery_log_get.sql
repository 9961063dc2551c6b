-- the log of each delivery since its last analysis began
SELECT delivery_id, logged_at, level, text FROM delivery_log
WHERE delivery_id IN (SELECT unnest($ids::BIGINT[]))
QUALIFY round = max(round) OVER (PARTITION BY delivery_id)
ORDER BY delivery_id, seq
