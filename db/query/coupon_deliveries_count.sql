-- how many deliveries each coupon has
SELECT coupon_id, count(*) FROM delivery WHERE list_contains($ids::BIGINT[], coupon_id) GROUP BY coupon_id
