-- the redemptions that count, for a file, oldest first
SELECT coalesce(c.value, c.key, p.code) AS code, r.redeemed_at AS "redeemedAt", r.reference,
    r.amount, r.currency,
    p.code AS coupon, p.type AS coupon_type, 'delivery_' || r.delivery_id AS delivery, r.channel,
    r.label, r.assigned_at AS "assignedAt", r.source, r.anomalies,
    r.store, r.customer
FROM redemption r
JOIN coupon p ON p.id = r.coupon_id
LEFT JOIN code c ON c.id = r.code_id
WHERE r.id NOT IN (SELECT redemption_id FROM reversal)
    AND ($coupons::BIGINT[] IS NULL OR list_contains($coupons::BIGINT[], r.coupon_id))
        AND ($deliveries::BIGINT[] IS NULL OR list_contains($deliveries::BIGINT[], r.delivery_id))
    AND ($channels::VARCHAR[] IS NULL OR list_contains($channels::VARCHAR[], r.channel))
        AND ($labels::VARCHAR[] IS NULL OR list_contains($labels::VARCHAR[], r.label))
    AND ($from::TIMESTAMP IS NULL OR r.redeemed_at >= $from)
        AND ($to::TIMESTAMP IS NULL OR r.redeemed_at < $to)
    AND ($reference::VARCHAR IS NULL OR r.reference = $reference)
        AND ($source::VARCHAR IS NULL OR r.source = $source)
    AND ($store::VARCHAR IS NULL OR r.store = $store)
        AND ($customer::VARCHAR IS NULL OR r.customer = $customer)
    AND ($anomalies::VARCHAR[] IS NULL
        OR list_has_any(string_split(r.anomalies, ' '), $anomalies::VARCHAR[]))
    -- What was reversed is not exported, so that this is never asked with true.
    AND $is_reversed::BOOLEAN IS NOT NULL
ORDER BY r.id
