-- the state of each code, from what happened to it
CREATE TEMP TABLE states AS
SELECT c.id, coalesce(c.value, c.key) AS value, c.key, c.coupon_id,
    CASE WHEN r.code_id IS NOT NULL THEN 'redeemed' WHEN v.code_id IS NOT NULL THEN 'voided'
        WHEN m.code_id IS NOT NULL THEN 'assigned' ELSE 'available' END AS state
FROM code c
LEFT JOIN (SELECT DISTINCT code_id FROM redemptions
    WHERE id NOT IN (SELECT redemption_id FROM reversal)) r ON r.code_id = c.id
LEFT JOIN (SELECT DISTINCT code_id FROM code_void) v ON v.code_id = c.id
LEFT JOIN (SELECT DISTINCT code_id
    FROM (SELECT id, code_id FROM message UNION ALL SELECT id, code_id FROM claims)
    WHERE id NOT IN (SELECT message_id FROM code_return)) m ON m.code_id = c.id
