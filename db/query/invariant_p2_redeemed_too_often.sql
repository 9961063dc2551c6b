-- P2: a code is redeemed at most as often as its coupon allows
SELECT coalesce('code_' || r.code_id, 'coupon_' || r.coupon_id)
FROM redemption r ANTI JOIN reversal v ON v.redemption_id = r.id JOIN coupon p ON p.id = r.coupon_id
GROUP BY r.coupon_id, r.code_id HAVING count(*) > any_value(p.redemption_limit)
