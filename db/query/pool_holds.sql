-- the holds
SELECT delivery_id, coupon_id, label, count, until FROM hold
