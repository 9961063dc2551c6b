-- the time zones of coupons
SELECT DISTINCT timezone FROM coupon ORDER BY timezone
