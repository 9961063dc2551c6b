-- the runs of batches that were added at once
SELECT coupon_id, coalesce(label, ''), min(id) AS first_id, max(id) FROM code
WHERE batch_id BETWEEN $batch_id AND $last_batch_id AND id >= $first_id
GROUP BY coupon_id, label
ORDER BY first_id
