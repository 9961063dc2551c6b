-- record the redemptions of a file that were not rejected, with what redeemCode would have rejected
-- them for
INSERT INTO posted_redemption (id, coupon_id, code_id, delivery_id, channel, label, assigned_at,
    redeemed_at, redeemed_on, source, reference, amount, currency, anomalies, import_id,
    recorded_at,
    store, customer)
SELECT s.id, s.coupon_id, s.code_id, m.delivery_id, coalesce(d.channel, m.claim_channel), s.label, m.created_at, s.redeemed_at,
    s.redeemed_at::DATE,
    s.source, s.reference, s.amount, s.currency,
    nullif(concat_ws(' ',
        CASE WHEN s.code_id IS NOT NULL AND m.id IS NULL
            AND p.requires_assignment THEN 'NOT_ASSIGNED' END,
        -- A date without a time is before an assignment, or before the start, only if its whole day
        -- is.
        CASE WHEN s.latest_at < m.created_at THEN 'BEFORE_ASSIGNMENT' END,
        CASE WHEN s.redeemed_at < p.starts_at AND s.latest_at <= p.starts_at
            OR s.redeemed_at >= p.ends_at THEN 'OUTSIDE_VALIDITY' END,
        CASE WHEN v.code_id IS NOT NULL THEN 'VOIDED' END), ''),
    $import_id, $now, s.store, s.customer
FROM recording s
JOIN coupon p ON p.id = s.coupon_id
LEFT JOIN (
    SELECT m.id, m.code_id, m.delivery_id, m.claim_channel, m.created_at FROM holding m
    SEMI JOIN (SELECT DISTINCT code_id FROM recording WHERE code_id IS NOT NULL) k
        ON k.code_id = m.code_id
    ANTI JOIN code_return r ON r.message_id = m.id
) m ON m.code_id = s.code_id
LEFT JOIN delivery d ON d.id = m.delivery_id
LEFT JOIN (SELECT DISTINCT code_id FROM code_void) v ON v.code_id = s.code_id
ORDER BY s.id
