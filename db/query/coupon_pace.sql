-- how many codes deliveries of each coupon were given lately, and when the first of them was
SELECT coupon_id, sum(message_count)::BIGINT, min(confirmed_at) FROM delivery
WHERE confirmed_at >= $since AND message_count > 0 AND coupon_id IN (SELECT unnest($ids::BIGINT[]))
GROUP BY coupon_id
