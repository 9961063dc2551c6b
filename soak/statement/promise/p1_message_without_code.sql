-- a message of a coupon with a pool has no code, or one of another coupon
SELECT 'message_' || m.id || ' of coupon_' || m.coupon_id || ' has '
    || coalesce('code_' || coalesce(m.code_id, m.repeated_code_id), 'none')
FROM message m JOIN coupon p ON p.id = m.coupon_id
WHERE p.type = 'INDIVIDUAL'
    AND NOT EXISTS (FROM code c WHERE c.id = coalesce(m.code_id, m.repeated_code_id)
        AND c.coupon_id = m.coupon_id)
