-- how many deliveries each coupon has
SELECT coupon_id, count(*) FROM delivery WHERE coupon_id IN (SELECT unnest($ids::BIGINT[]))
GROUP BY coupon_id
