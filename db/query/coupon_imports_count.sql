-- how many imports each coupon has
SELECT coupon_id, count(*) FROM import WHERE list_contains($ids::BIGINT[], coupon_id) GROUP BY coupon_id
