-- redemptions by number
SELECT r.id, r.coupon_id, r.code_id, coalesce(c.value, c.key, p.code), r.redeemed_at, r.source, r.reference, r.amount::VARCHAR, r.currency, v.reversed_at, r.anomalies,
    r.store, r.customer
FROM redemption r
JOIN coupon p ON p.id = r.coupon_id
LEFT JOIN (SELECT id, key, value FROM code WHERE id IN (SELECT code_id FROM redemption WHERE id BETWEEN $first AND $last AND id IN (SELECT unnest($ids::BIGINT[])))) c ON c.id = r.code_id
LEFT JOIN reversal v ON v.redemption_id = r.id
WHERE r.id BETWEEN $first AND $last AND r.id IN (SELECT unnest($ids::BIGINT[]))
