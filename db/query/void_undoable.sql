-- the codes that batches voided and that can come back, packed: not those that were redeemed since,
-- reversed or not, nor those whose message ended without being sent and still holds them
WITH voided AS (SELECT code_id, voided_at FROM code_void
    WHERE batch_id IN (SELECT unnest($batches::BIGINT[])))
SELECT string_agg(code_id, ' ' ORDER BY code_id) FROM voided
WHERE code_id NOT IN (
    SELECT v.code_id FROM voided v JOIN redemption r ON r.code_id = v.code_id
    WHERE r.recorded_at >= v.voided_at
    UNION ALL
    SELECT v.code_id FROM voided v JOIN message m ON m.code_id = v.code_id
    JOIN sending s ON s.message_id = m.id
    WHERE s.outcome IN ('CANCELED', 'FAILED') AND s.settled_at >= v.voided_at
        AND m.id NOT IN (SELECT message_id FROM code_return)
)
GROUP BY code_id // 4096
