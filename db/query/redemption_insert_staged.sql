-- record the staged redemptions that were not refused, with what redeemCode would have refused them for
INSERT INTO posted_redemption (id, coupon_id, code_id, delivery_id, channel, label, assigned_at, redeemed_at, redeemed_on, source, reference, amount, currency, anomalies, import_id, recorded_at)
SELECT $first_id + row_number() OVER (ORDER BY s.line) - 1, s.coupon_id, s.code_id, m.delivery_id, d.channel, s.label, m.created_at, s.redeemed_at, s.redeemed_at::DATE,
    'IMPORT', s.reference, s.amount, s.currency,
    nullif(concat_ws(' ',
        CASE WHEN s.code_id IS NOT NULL AND m.id IS NULL AND p.requires_assignment THEN 'NOT_ASSIGNED' END,
        -- A date without a time is before an assignment, or before the start, only if its whole day is.
        CASE WHEN s.latest_at < m.created_at THEN 'BEFORE_ASSIGNMENT' END,
        CASE WHEN s.redeemed_at < p.starts_at AND s.latest_at <= p.starts_at OR s.redeemed_at >= p.ends_at THEN 'OUTSIDE_VALIDITY' END,
        CASE WHEN v.code_id IS NOT NULL THEN 'VOIDED' END), ''),
    $import_id, $now
FROM stage s
ANTI JOIN refused r ON r.line = s.line
JOIN coupon p ON p.id = s.coupon_id
LEFT JOIN (SELECT id, code_id, delivery_id, created_at FROM message WHERE code_id IN (SELECT code_id FROM stage) AND id NOT IN (SELECT message_id FROM code_return)) m ON m.code_id = s.code_id
LEFT JOIN delivery d ON d.id = m.delivery_id
LEFT JOIN (SELECT DISTINCT code_id FROM code_void WHERE code_id IN (SELECT code_id FROM stage)) v ON v.code_id = s.code_id
ORDER BY s.line
