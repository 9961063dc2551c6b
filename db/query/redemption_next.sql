-- the numbers of the redemptions that were recorded after one
SELECT id FROM redemption WHERE id > $after AND id <= $last AND ($coupon_id::BIGINT IS NULL OR coupon_id = $coupon_id) ORDER BY id LIMIT $limit
