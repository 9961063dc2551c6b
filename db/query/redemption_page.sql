-- the numbers of redemptions, newest first
SELECT id FROM redemption
WHERE ($after::BIGINT IS NULL OR id < $after)
    AND ($coupons::BIGINT[] IS NULL OR list_contains($coupons::BIGINT[], coupon_id))
        AND ($deliveries::BIGINT[] IS NULL OR list_contains($deliveries::BIGINT[], delivery_id))
    AND ($channels::VARCHAR[] IS NULL OR list_contains($channels::VARCHAR[], channel))
        AND ($labels::VARCHAR[] IS NULL OR list_contains($labels::VARCHAR[], label))
    AND ($from::TIMESTAMP IS NULL OR redeemed_at >= $from)
        AND ($to::TIMESTAMP IS NULL OR redeemed_at < $to)
ORDER BY id DESC
LIMIT $limit
