-- the number of the next coupon
SELECT nextval('coupon_id')
