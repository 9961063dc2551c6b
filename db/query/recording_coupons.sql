-- the coupons of the redemptions of a file, and how often their own code is redeemed
SELECT coupon_id, count(*) FILTER (code_id IS NULL) FROM recording GROUP BY coupon_id
