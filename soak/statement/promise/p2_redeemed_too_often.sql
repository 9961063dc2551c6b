-- a code, or a coupon without a pool, counts more redemptions than its coupon allows
SELECT coalesce('code_' || r.code_id, 'the code of coupon_' || r.coupon_id) || ' is redeemed '
    || count(*) || ' times, and may be ' || p.redemption_limit
FROM redemptions r JOIN coupon p ON p.id = r.coupon_id
WHERE NOT EXISTS (FROM reversal v WHERE v.redemption_id = r.id)
GROUP BY r.code_id, r.coupon_id, p.redemption_limit HAVING count(*) > p.redemption_limit
