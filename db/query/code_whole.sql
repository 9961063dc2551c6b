-- codes as they are stored
SELECT id, batch_id, coupon_id, label, key, value FROM code
WHERE id BETWEEN $first AND $last AND id IN (SELECT unnest($ids::BIGINT[]))
ORDER BY id
