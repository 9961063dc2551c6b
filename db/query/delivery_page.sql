-- the numbers of deliveries, newest first
SELECT id FROM delivery
WHERE ($status::VARCHAR[] IS NULL OR list_contains($status::VARCHAR[], status))
    AND ($coupon_id::BIGINT IS NULL OR coupon_id = $coupon_id)
    AND ($after::BIGINT IS NULL OR id < $after)
ORDER BY id DESC
LIMIT $limit
