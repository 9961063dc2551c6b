-- the redemptions of a file that others made impossible meanwhile: they recorded the same ones, or
-- used the code up; the file's first rows win
CREATE OR REPLACE TEMP TABLE belated AS
WITH same AS (
    SELECT r.id FROM recording r
    JOIN (SELECT DISTINCT coupon_id, code_id, reference FROM late WHERE reference IS NOT NULL) k
        ON k.coupon_id = r.coupon_id AND k.code_id IS NOT DISTINCT FROM r.code_id
        AND k.reference = r.reference
    UNION
    SELECT r.id FROM recording r
    JOIN (SELECT code_id, redeemed_at, bool_or(reference IS NULL) AS has_one_without FROM late
        WHERE code_id IS NOT NULL GROUP BY ALL) k
        ON k.code_id = r.code_id AND k.redeemed_at = r.redeemed_at
    WHERE r.reference IS NULL OR k.has_one_without
), spent AS (
    SELECT id FROM (
        SELECT r.id, p.redemption_limit, c.times
            + row_number() OVER (PARTITION BY r.coupon_id, r.code_id ORDER BY r.line) AS times
        FROM recording r
        JOIN contested c ON c.coupon_id = r.coupon_id AND c.code_id IS NOT DISTINCT FROM r.code_id
        JOIN coupon p ON p.id = r.coupon_id AND p.redemption_limit IS NOT NULL
        ANTI JOIN same ON same.id = r.id
    ) WHERE times > redemption_limit
)
SELECT r.id, r.line, r.coupon_id, r.code_id, r.raw, b.reason
FROM recording r JOIN (SELECT id, 'ALREADY_RECORDED' AS reason FROM same
    UNION ALL SELECT id, 'ALREADY_REDEEMED' FROM spent) b ON b.id = r.id
