-- how many codes of each coupon are in which state
SELECT 'coupon_' || coupon_id, state, count(*) FROM states GROUP BY ALL
