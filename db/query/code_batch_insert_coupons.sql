-- record a batch for each coupon that gets staged codes, one after the other
INSERT INTO code_batch (id, kind, coupon_id, import_id, first_id, last_id, count, created_by,
    created_at)
SELECT $first_batch + row_number() OVER (ORDER BY coupon_id) - 1, 'IMPORTED', coupon_id, $import_id,
    $first_id + (sum(count) OVER (ORDER BY coupon_id))::BIGINT - count,
    $first_id + (sum(count) OVER (ORDER BY coupon_id))::BIGINT - 1,
    count, $created_by, $now
FROM (SELECT s.coupon_id, count(*) AS count FROM stage s ANTI JOIN rejected r ON r.line = s.line
    GROUP BY s.coupon_id)
