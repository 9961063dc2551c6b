-- the newest batches of each coupon
SELECT coupon_id, max(id, $limit) FROM code_batch
WHERE coupon_id IN (SELECT unnest($ids::BIGINT[])) AND ($after::BIGINT IS NULL OR id < $after)
GROUP BY coupon_id
