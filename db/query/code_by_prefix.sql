-- the numbers of codes of a coupon (0: any) whose key begins with a prefix
SELECT id FROM code WHERE ($coupon_id = 0 OR coupon_id = $coupon_id) AND starts_with(key, $prefix)
