-- how many redemptions there are
SELECT count(*) FROM redemption
WHERE ($coupons::BIGINT[] IS NULL OR list_contains($coupons::BIGINT[], coupon_id))
    AND ($deliveries::BIGINT[] IS NULL OR list_contains($deliveries::BIGINT[], delivery_id))
    AND ($channels::VARCHAR[] IS NULL OR list_contains($channels::VARCHAR[], channel))
        AND ($labels::VARCHAR[] IS NULL OR list_contains($labels::VARCHAR[], label))
    AND ($from::TIMESTAMP IS NULL OR redeemed_at >= $from)
        AND ($to::TIMESTAMP IS NULL OR redeemed_at < $to)
