-- how many codes of each coupon were assigned lately, and when the first of them was
SELECT coupon_id, count(*), min(created_at) FROM message
WHERE created_at >= $since AND code_id IS NOT NULL AND coupon_id IN (SELECT unnest($ids::BIGINT[]))
GROUP BY coupon_id
