-- the coupons of the matched codes that were not rejected
SELECT DISTINCT m.coupon_id FROM matched m ANTI JOIN rejected r ON r.line = m.line
ORDER BY m.coupon_id
