-- P1: a message of an individual coupon has a code of that coupon
SELECT 'message_' || m.id FROM message m JOIN coupon p ON p.id = m.coupon_id
LEFT JOIN code c ON c.id = m.code_id
WHERE p.type = 'INDIVIDUAL' AND (c.id IS NULL OR c.coupon_id <> m.coupon_id)
