-- how many codes of each coupon were assigned lately, and when the first of them was
SELECT coupon_id, count(*), min(created_at) FROM message
WHERE created_at >= $since AND code_id IS NOT NULL AND list_contains($ids::BIGINT[], coupon_id)
GROUP BY coupon_id
