-- the codes of coupons, each with where it stands, for a file. The range leaves out what one coupon
-- has no part in
SELECT coalesce(c.value, c.key) AS code, c.label,
    CASE WHEN r.code_id IS NOT NULL THEN 'REDEEMED' WHEN v.code_id IS NOT NULL THEN 'VOIDED'
        WHEN p.ends_at <= $now THEN 'EXPIRED' WHEN m.id IS NOT NULL THEN 'ASSIGNED'
        ELSE 'AVAILABLE' END AS status,
    p.code AS coupon, p.type AS coupon_type, 'delivery_' || m.delivery_id AS delivery,
    k.external_id AS recipient, coalesce(d.channel, m.claim_channel) AS channel, m.address,
    m.created_at AS "assignedAt", s.settled_at AS "sentAt", r.redeemed_at AS "redeemedAt",
    c.coupon_id, c.key, c.id AS code_id
FROM code c
JOIN coupon p ON p.id = c.coupon_id
LEFT JOIN (SELECT id, code_id, delivery_id, recipient_id, address, claim_channel, created_at
    FROM holding
    WHERE coupon_id BETWEEN $first AND $last AND id NOT IN (SELECT message_id FROM code_return)) m
    ON m.code_id = c.id
LEFT JOIN delivery d ON d.id = m.delivery_id
LEFT JOIN recipient k ON k.id = m.recipient_id
LEFT JOIN (SELECT message_id, settled_at FROM sending WHERE outcome = 'SENT'
    AND delivery_id IN (SELECT id FROM delivery WHERE coupon_id BETWEEN $first AND $last)) s
    ON s.message_id = m.id
LEFT JOIN (
    SELECT code_id, min(redeemed_at) AS redeemed_at FROM redemption
    WHERE coupon_id BETWEEN $first AND $last AND code_id IS NOT NULL
        AND id NOT IN (SELECT redemption_id FROM reversal) GROUP BY code_id
) r ON r.code_id = c.id
LEFT JOIN (SELECT DISTINCT code_id FROM code_void) v ON v.code_id = c.id
WHERE c.coupon_id BETWEEN $first AND $last
    AND ($coupons::BIGINT[] IS NULL OR list_contains($coupons::BIGINT[], c.coupon_id))
