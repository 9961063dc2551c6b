-- P1: a message of an individual coupon has a code of that coupon, its own or one
-- that it carries again
SELECT 'message_' || m.id FROM message m JOIN coupon p ON p.id = m.coupon_id
LEFT JOIN code c ON c.id = coalesce(m.code_id, m.repeated_code_id)
WHERE p.type = 'INDIVIDUAL' AND (c.id IS NULL OR c.coupon_id <> m.coupon_id)
