-- the anonymous coupons of the redemptions that were just recorded
SELECT coupon_id, count(*) FROM redemption WHERE id >= $first_id AND code_id IS NULL GROUP BY coupon_id
