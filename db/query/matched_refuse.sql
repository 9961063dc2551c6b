-- refuse staged codes that cannot be voided: that do not exist, are another coupon's, are redeemed, or voided already
INSERT INTO refused
SELECT line, 'UNKNOWN_CODE', coalesce(value, key) FROM stage ANTI JOIN matched ON matched.line = stage.line
UNION ALL
SELECT line, reason, raw FROM (
    SELECT line, raw,
        CASE
            WHEN coupon_id <> $coupon_id THEN 'EXISTS_ELSEWHERE'
            WHEN code_id IN (SELECT code_id FROM redemption WHERE code_id IS NOT NULL AND id NOT IN (SELECT redemption_id FROM reversal)) THEN 'ALREADY_REDEEMED'
            WHEN code_id IN (SELECT code_id FROM code_void) THEN 'ALREADY_RECORDED'
        END AS reason
    FROM matched
) WHERE reason IS NOT NULL
