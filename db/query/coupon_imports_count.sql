-- how many imports each coupon has: see coupon_imports
SELECT coupon_id, count(*) FROM (
    SELECT coupon_id, id FROM import WHERE coupon_id IN (SELECT unnest($ids::BIGINT[]))
    UNION
    SELECT coupon_id, import_id FROM code_batch
    WHERE import_id IS NOT NULL AND coupon_id IN (SELECT unnest($ids::BIGINT[]))
)
GROUP BY coupon_id
