-- the newest imports of each coupon: those of its codes, and those of many coupons that brought or
-- voided codes of it
SELECT coupon_id, max(id, $limit) FROM (
    SELECT coupon_id, id FROM import WHERE coupon_id IN (SELECT unnest($ids::BIGINT[]))
    UNION
    SELECT coupon_id, import_id FROM code_batch
    WHERE import_id IS NOT NULL AND coupon_id IN (SELECT unnest($ids::BIGINT[]))
)
WHERE $after::BIGINT IS NULL OR id < $after
GROUP BY coupon_id
