-- add the staged codes that were not rejected, in the order of label and key
INSERT INTO code (id, batch_id, coupon_id, label, key, value)
SELECT $first_id + row_number() OVER (ORDER BY s.label, s.key) - 1, $batch_id, $coupon_id, s.label,
    s.key, s.value
FROM stage s ANTI JOIN rejected r ON r.line = s.line
ORDER BY s.label, s.key
