-- the numbers of codes of a coupon (0: any) whose key begins with a prefix, or that of a collision
-- that they have part in
SELECT id FROM code
WHERE ($coupon_id = 0 OR coupon_id = $coupon_id)
AND (starts_with(key, $prefix)
    OR key IN (SELECT narrow_key FROM code_collision k WHERE starts_with(k.key, $prefix)))
