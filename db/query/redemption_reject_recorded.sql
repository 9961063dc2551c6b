-- reject staged redemptions that were recorded before: of the same code with the same reference,
-- or, where one has none, at the same time. What is alike in the file is looked for once, and every
-- join is by equal values alone: many alike on both sides cost no more than as many unlike
INSERT INTO rejected
WITH same_reference AS (
    SELECT k.coupon_id, k.code_id, k.reference
    FROM (SELECT DISTINCT coupon_id, code_id, reference FROM stage
        WHERE coupon_id IS NOT NULL AND reference IS NOT NULL) k
    SEMI JOIN redemption r ON r.coupon_id = k.coupon_id AND r.code_id IS NOT DISTINCT FROM k.code_id
        AND r.reference = k.reference
), same_time AS (
    SELECT k.code_id, k.redeemed_at, bool_or(r.reference IS NULL) AS has_one_without
    FROM (SELECT DISTINCT code_id, redeemed_at FROM stage WHERE code_id IS NOT NULL) k
    JOIN redemption r ON r.code_id = k.code_id AND r.redeemed_at = k.redeemed_at
    GROUP BY ALL
), same_file AS (
    -- Many use the code of an anonymous coupon at one time: only the very same file tells that
    -- these are the same uses.
    SELECT DISTINCT coupon_id, redeemed_at FROM redemption
    WHERE code_id IS NULL AND reference IS NULL
        AND import_id IN (SELECT earlier.id FROM import earlier
            JOIN import this ON this.checksum = earlier.checksum WHERE this.id = $import_id)
)
SELECT DISTINCT line, 'ALREADY_RECORDED', raw FROM (
    SELECT s.line, s.raw FROM stage s
    JOIN same_reference k ON k.coupon_id = s.coupon_id AND k.code_id IS NOT DISTINCT FROM s.code_id
        AND k.reference = s.reference
    UNION ALL
    SELECT s.line, s.raw FROM stage s
    JOIN same_time k ON k.code_id = s.code_id AND k.redeemed_at = s.redeemed_at
    WHERE s.reference IS NULL OR k.has_one_without
    UNION ALL
    SELECT s.line, s.raw FROM stage s
    JOIN same_file k ON k.coupon_id = s.coupon_id AND k.redeemed_at = s.redeemed_at
    WHERE s.code_id IS NULL AND s.reference IS NULL
)
