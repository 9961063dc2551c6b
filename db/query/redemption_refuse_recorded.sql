-- refuse staged redemptions that were recorded before: of the same code with the same reference, or, where one has none, at the same time
INSERT INTO refused
SELECT DISTINCT line, 'ALREADY_RECORDED', raw FROM (
    SELECT s.line, s.raw FROM stage s
    SEMI JOIN redemption r ON r.coupon_id = s.coupon_id AND r.code_id IS NOT DISTINCT FROM s.code_id AND r.reference = s.reference
    UNION ALL
    SELECT s.line, s.raw FROM stage s
    SEMI JOIN redemption r ON r.code_id = s.code_id AND r.redeemed_at = s.redeemed_at AND (r.reference IS NULL OR s.reference IS NULL)
    UNION ALL
    -- Many use the code of an anonymous coupon at one time: only the very same file tells that these are the same uses.
    SELECT s.line, s.raw FROM stage s
    SEMI JOIN (
        SELECT coupon_id, redeemed_at FROM redemption WHERE code_id IS NULL AND reference IS NULL
            AND import_id IN (SELECT earlier.id FROM import earlier JOIN import this ON this.checksum = earlier.checksum WHERE this.id = $import_id)
    ) r ON s.code_id IS NULL AND s.reference IS NULL AND r.coupon_id = s.coupon_id AND r.redeemed_at = s.redeemed_at
)
