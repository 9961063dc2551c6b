-- store codes again that were deleted in the same transaction
INSERT INTO code (id, batch_id, coupon_id, label, key, value)
SELECT unnest($ids::BIGINT[]), unnest($batches::BIGINT[]), unnest($coupons::BIGINT[]), unnest($labels::VARCHAR[]), unnest($keys::VARCHAR[]), unnest($values::VARCHAR[])
