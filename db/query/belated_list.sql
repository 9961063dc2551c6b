-- the codes of the redemptions that others made impossible; 0 for a coupon's own code
SELECT coupon_id, coalesce(code_id, 0) FROM belated
