-- how many redemptions there are, narrowed by what they say of themselves. redemption_count reads
-- fewer columns
SELECT count(*) FROM redemption
WHERE true
    AND ($coupons::BIGINT[] IS NULL OR list_contains($coupons::BIGINT[], coupon_id))
    AND ($deliveries::BIGINT[] IS NULL OR list_contains($deliveries::BIGINT[], delivery_id))
    AND ($channels::VARCHAR[] IS NULL OR list_contains($channels::VARCHAR[], channel))
    AND ($labels::VARCHAR[] IS NULL OR list_contains($labels::VARCHAR[], label))
    AND ($from::TIMESTAMP IS NULL OR redeemed_at >= $from)
        AND ($to::TIMESTAMP IS NULL OR redeemed_at < $to)
    AND ($reference::VARCHAR IS NULL OR reference = $reference)
        AND ($source::VARCHAR IS NULL OR source = $source)
    AND ($store::VARCHAR IS NULL OR store = $store)
        AND ($customer::VARCHAR IS NULL OR customer = $customer)
    AND ($anomalies::VARCHAR[] IS NULL
        OR list_has_any(string_split(anomalies, ' '), $anomalies::VARCHAR[]))
    AND ($is_reversed::BOOLEAN IS NULL
        OR $is_reversed = (id IN (SELECT redemption_id FROM reversal)))
