-- the imports that are not done, oldest first
SELECT id, byte_count, coupon_id, delivery_id FROM import WHERE status IN ('QUEUED', 'RUNNING')
ORDER BY id
