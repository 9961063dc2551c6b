-- refuse staged redemptions that an earlier row of the file reports too
INSERT INTO refused
SELECT line, 'DUPLICATE_IN_FILE', raw FROM (
    SELECT line, raw,
        code_id IS NOT NULL AND row_number() OVER (PARTITION BY coupon_id, code_id, redeemed_at ORDER BY line) > 1
        OR reference IS NOT NULL AND row_number() OVER (PARTITION BY coupon_id, code_id, reference ORDER BY line) > 1 AS is_double
    FROM stage WHERE line NOT IN (SELECT line FROM refused)
) WHERE is_double
