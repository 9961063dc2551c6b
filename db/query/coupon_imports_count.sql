-- how many imports each coupon has
SELECT coupon_id, count(*) FROM import WHERE coupon_id IN (SELECT unnest($ids::BIGINT[])) GROUP BY coupon_id
