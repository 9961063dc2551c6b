-- the newest imports of each coupon
SELECT coupon_id, max(id, $limit) FROM import
WHERE list_contains($ids::BIGINT[], coupon_id) AND ($after::BIGINT IS NULL OR id < $after)
GROUP BY coupon_id
