-- how many batches each coupon has
SELECT coupon_id, count(*) FROM code_batch WHERE coupon_id IN (SELECT unnest($ids::BIGINT[]))
GROUP BY coupon_id
