-- void the matched codes that were not rejected, those of each coupon by a batch of its own
INSERT INTO code_void (code_id, voided_at, reason, batch_id)
SELECT m.code_id, $now, $reason, b.batch_id
FROM matched m ANTI JOIN rejected r ON r.line = m.line
JOIN (SELECT unnest($coupons::BIGINT[]) AS coupon_id, unnest($batches::BIGINT[]) AS batch_id) b
    ON b.coupon_id = m.coupon_id
