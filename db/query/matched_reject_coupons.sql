-- reject staged codes that cannot be voided, each as one of the coupon that its row names: see
-- matched_reject
INSERT INTO rejected
SELECT s.line, 'UNKNOWN_CODE', coalesce(s.value, s.key) FROM stage s
ANTI JOIN matched m ON m.line = s.line
UNION ALL
SELECT line, reason, raw FROM (
    SELECT m.line, m.raw,
        CASE
            WHEN m.coupon_id <> s.coupon_id THEN 'EXISTS_ELSEWHERE'
            WHEN r.code_id IS NOT NULL THEN 'ALREADY_REDEEMED'
            WHEN v.code_id IS NOT NULL THEN 'ALREADY_RECORDED'
        END AS reason
    FROM matched m
    JOIN stage s ON s.line = m.line
    LEFT JOIN (
        SELECT DISTINCT code_id FROM redemption r ANTI JOIN reversal v ON v.redemption_id = r.id
        WHERE coupon_id IN (SELECT coupon_id FROM matched) AND code_id IS NOT NULL
    ) r ON r.code_id = m.code_id
    LEFT JOIN (SELECT DISTINCT code_id FROM code_void) v ON v.code_id = m.code_id
) WHERE reason IS NOT NULL
