-- P1: a claim has a code of the coupon that it is of
SELECT 'claim of code_' || h.code_id FROM claim h LEFT JOIN code c ON c.id = h.code_id
WHERE c.coupon_id IS DISTINCT FROM h.coupon_id
