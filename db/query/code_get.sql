-- codes by number, with what happened to them last
WITH wanted AS (SELECT unnest($ids::BIGINT[]) AS id),
held AS (
    SELECT m.code_id, m.id, m.delivery_id, m.recipient_id, m.address, m.created_at
    FROM message m
    WHERE m.code_id BETWEEN $first AND $last AND m.code_id IN (FROM wanted)
        AND m.id NOT IN (SELECT message_id FROM code_return WHERE code_id BETWEEN $first AND $last)
),
redeemed AS (
    SELECT r.code_id, max(r.redeemed_at) AS redeemed_at
    FROM redemption r
    WHERE r.code_id BETWEEN $first AND $last AND r.code_id IN (FROM wanted) AND r.id NOT IN (SELECT redemption_id FROM reversal)
    GROUP BY r.code_id
)
SELECT c.id, coalesce(c.value, c.key), c.label, c.coupon_id, b.import_id, b.created_at,
    held.id, held.delivery_id, held.recipient_id, d.channel, held.address, held.created_at, s.settled_at, redeemed.redeemed_at, v.voided_at
FROM code c
JOIN code_batch b ON b.id = c.batch_id
LEFT JOIN held ON held.code_id = c.id
LEFT JOIN delivery d ON d.id = held.delivery_id
LEFT JOIN (SELECT message_id, settled_at FROM sending WHERE outcome = 'SENT' AND message_id IN (SELECT id FROM held)) s ON s.message_id = held.id
LEFT JOIN redeemed ON redeemed.code_id = c.id
LEFT JOIN (SELECT code_id, min(voided_at) AS voided_at FROM code_void WHERE code_id BETWEEN $first AND $last GROUP BY code_id) v ON v.code_id = c.id
WHERE c.id BETWEEN $first AND $last AND c.id IN (FROM wanted)
