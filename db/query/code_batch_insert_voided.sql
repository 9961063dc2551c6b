-- record a batch for each coupon of which an import voids codes
INSERT INTO code_batch (id, kind, coupon_id, import_id, first_id, last_id, count, created_by,
    created_at)
SELECT b.batch_id, 'VOIDED', b.coupon_id, $import_id, 1, 0, count(*), $created_by, $now
FROM code_void v
JOIN (SELECT unnest($coupons::BIGINT[]) AS coupon_id, unnest($batches::BIGINT[]) AS batch_id) b
    ON b.batch_id = v.batch_id
GROUP BY b.batch_id, b.coupon_id
