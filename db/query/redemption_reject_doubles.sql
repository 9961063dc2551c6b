-- reject staged redemptions that an earlier row of the file reports too: with the same reference,
-- or, where one has none, at the same time. Each row is compared with the first of its kind alone,
-- so that many alike cost no more than as many unlike
INSERT INTO rejected
WITH good AS (FROM stage s ANTI JOIN rejected r ON r.line = s.line)
SELECT s.line, 'DUPLICATE_IN_FILE', s.raw
FROM good s
LEFT JOIN (
    SELECT coupon_id, code_id, reference, min(line) AS first_line FROM good
    WHERE reference IS NOT NULL GROUP BY ALL HAVING count(*) > 1
) same_reference ON same_reference.coupon_id = s.coupon_id
    AND same_reference.code_id IS NOT DISTINCT FROM s.code_id
    AND same_reference.reference = s.reference
LEFT JOIN (
    SELECT code_id, redeemed_at, min(line) AS first_line,
        min(line) FILTER (reference IS NULL) AS first_without
    FROM good WHERE code_id IS NOT NULL GROUP BY ALL HAVING count(*) > 1
) same_time ON same_time.code_id = s.code_id AND same_time.redeemed_at = s.redeemed_at
WHERE s.line > same_reference.first_line OR s.line > CASE
    WHEN s.reference IS NULL THEN same_time.first_line ELSE same_time.first_without END
