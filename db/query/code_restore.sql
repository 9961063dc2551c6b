-- store codes again that were deleted in the same transaction; '' stands for a label or value that
-- is not there
INSERT INTO code (id, batch_id, coupon_id, label, key, value)
SELECT unnest($ids::BIGINT[]), unnest($batches::BIGINT[]), unnest($coupons::BIGINT[]),
    nullif(unnest($labels::VARCHAR[]), ''), unnest($keys::VARCHAR[]),
    nullif(unnest($values::VARCHAR[]), '')
