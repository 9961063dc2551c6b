-- how many deliveries there are
SELECT count(*) FROM delivery
WHERE ($status::VARCHAR[] IS NULL OR list_contains($status::VARCHAR[], status))
    AND ($coupon_id::BIGINT IS NULL OR coupon_id = $coupon_id)
