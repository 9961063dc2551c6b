-- refuse staged redemptions that an earlier row of the file reports too: with the same reference, or, where one has none, at the same time
INSERT INTO refused
SELECT line, 'DUPLICATE_IN_FILE', raw FROM (
    SELECT line, raw,
        reference IS NOT NULL AND row_number() OVER (PARTITION BY coupon_id, code_id, reference ORDER BY line) > 1
        OR code_id IS NOT NULL AND CASE WHEN reference IS NULL THEN row_number() OVER same_time > 1 ELSE count(*) FILTER (reference IS NULL) OVER same_time > 0 END AS is_double
    FROM stage WHERE line NOT IN (SELECT line FROM refused)
    WINDOW same_time AS (PARTITION BY coupon_id, code_id, redeemed_at ORDER BY line)
) WHERE is_double
