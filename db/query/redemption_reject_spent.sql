-- reject staged redemptions beyond the limit of their code; the file's first rows win
INSERT INTO rejected
SELECT line, 'ALREADY_REDEEMED', raw FROM (
    SELECT s.line, s.raw, p.redemption_limit, coalesce(live.times, 0)
        + row_number() OVER (PARTITION BY s.coupon_id, s.code_id ORDER BY s.line) AS times
    FROM (FROM stage s ANTI JOIN rejected r ON r.line = s.line) s
    JOIN coupon p ON p.id = s.coupon_id AND p.redemption_limit IS NOT NULL
    LEFT JOIN (
        SELECT coupon_id, code_id, count(*) AS times FROM redemption r
        ANTI JOIN reversal v ON v.redemption_id = r.id
        WHERE coupon_id IN (SELECT DISTINCT coupon_id FROM stage) GROUP BY coupon_id, code_id
    ) live ON live.coupon_id = s.coupon_id AND live.code_id IS NOT DISTINCT FROM s.code_id
) WHERE times > redemption_limit
