-- the numbers of redemptions between two numbers
SELECT id FROM redemption WHERE id BETWEEN $first AND $last
    AND ($coupon_id::BIGINT IS NULL OR coupon_id = $coupon_id) ORDER BY id LIMIT $limit
