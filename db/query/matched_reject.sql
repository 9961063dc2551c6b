-- reject staged codes that cannot be voided: that do not exist, are another coupon's, are redeemed,
-- or voided already
INSERT INTO rejected
SELECT s.line, 'UNKNOWN_CODE', coalesce(s.value, s.key) FROM stage s
ANTI JOIN matched m ON m.line = s.line
UNION ALL
SELECT line, reason, raw FROM (
    SELECT m.line, m.raw,
        CASE
            WHEN m.coupon_id <> $coupon_id THEN 'EXISTS_ELSEWHERE'
            WHEN r.code_id IS NOT NULL THEN 'ALREADY_REDEEMED'
            WHEN v.code_id IS NOT NULL THEN 'ALREADY_RECORDED'
        END AS reason
    FROM matched m
    LEFT JOIN (SELECT DISTINCT code_id FROM redemption r ANTI JOIN reversal v
        ON v.redemption_id = r.id WHERE coupon_id = $coupon_id AND code_id IS NOT NULL) r
        ON r.code_id = m.code_id
    LEFT JOIN (SELECT DISTINCT code_id FROM code_void) v ON v.code_id = m.code_id
) WHERE reason IS NOT NULL
