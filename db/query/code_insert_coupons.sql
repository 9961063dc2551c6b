-- add the staged codes of many coupons that were not rejected, in the order of coupon, label and
-- key
INSERT INTO code (id, batch_id, coupon_id, label, key, value)
SELECT $first_id + row_number() OVER (ORDER BY s.coupon_id, s.label, s.key) - 1, b.id, s.coupon_id,
    s.label, s.key, s.value
FROM (FROM stage ANTI JOIN rejected ON rejected.line = stage.line) s
JOIN code_batch b ON b.coupon_id = s.coupon_id AND b.id BETWEEN $first_batch AND $last_batch
ORDER BY s.coupon_id, s.label, s.key
