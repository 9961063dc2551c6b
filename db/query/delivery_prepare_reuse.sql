-- of those whom a delivery means, tell what they have of its coupon: the latest code that reached
-- them and is as good as new is carried again, unless holders are skipped. Who used the code, or
-- waits for one, gets none
UPDATE prepared SET
    reason = CASE
        WHEN NOT $is_same THEN CASE WHEN h.has_unused THEN 'HOLDS_CODE' ELSE prepared.reason END
        WHEN h.message_id IS NOT NULL THEN NULL
        WHEN h.has_unused THEN 'HOLDS_CODE'
        ELSE 'ALREADY_REDEEMED'
    END,
    repeats_id = CASE WHEN $is_same THEN h.message_id END,
    repeated_code_id = CASE WHEN $is_same THEN h.code_id END
FROM (
    SELECT g.recipient_id, max(g.id) FILTER (g.has_reached) AS message_id,
        arg_max(g.code_id, g.id) FILTER (g.has_reached) AS code_id,
        bool_or(NOT g.is_redeemed) AS has_unused
    FROM (
        SELECT m.recipient_id, m.id, m.code_id, r.code_id IS NOT NULL AS is_redeemed,
            r.code_id IS NULL AND s.message_id IS NOT NULL AS has_reached
        FROM message m
        ANTI JOIN code_return b ON b.message_id = m.id
        ANTI JOIN code_void v ON v.code_id = m.code_id
        LEFT JOIN (SELECT DISTINCT code_id FROM redemption
            WHERE coupon_id = $coupon_id AND code_id IS NOT NULL
                AND id NOT IN (SELECT redemption_id FROM reversal)) r ON r.code_id = m.code_id
        LEFT JOIN sending s ON s.message_id = m.id
        WHERE m.coupon_id = $coupon_id AND m.code_id IS NOT NULL
    ) g
    GROUP BY g.recipient_id
) h
WHERE h.recipient_id = prepared.recipient_id
    AND (prepared.reason IS NULL OR $is_same AND prepared.reason = 'NO_MATCHING_LABEL')
