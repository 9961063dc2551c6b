-- the coupons that get staged codes
SELECT DISTINCT s.coupon_id FROM stage s ANTI JOIN rejected r ON r.line = s.line
ORDER BY s.coupon_id
