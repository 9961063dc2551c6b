-- the runs of one batch
SELECT coalesce(label, ''), min(id) AS first_id, max(id) FROM code WHERE batch_id = $batch_id AND id >= $first_id GROUP BY label ORDER BY first_id
