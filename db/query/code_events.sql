-- what happened to codes, oldest first; where times are equal, kinds sort in the
-- order of a life and those of a kind by number
WITH wanted AS (SELECT unnest($ids::BIGINT[]) AS id),
held AS (SELECT code_id, id, delivery_id, address, created_at, true AS is_given FROM message
    WHERE code_id BETWEEN $first AND $last AND code_id IN (FROM wanted)
    UNION ALL SELECT repeated_code_id, id, delivery_id, address, created_at, false FROM message
    WHERE repeated_code_id BETWEEN $first AND $last AND repeated_code_id IN (FROM wanted)),
redeemed AS (
    SELECT id, code_id, redeemed_at, source, reference, store, delivery_id FROM redemption
    WHERE code_id BETWEEN $first AND $last AND code_id IN (FROM wanted)
)
SELECT code_id, happened_at, kind, delivery_id, detail, store FROM (
    SELECT c.id AS code_id, b.created_at AS happened_at, 'ADDED' AS kind,
        NULL::BIGINT AS delivery_id, i.file_name AS detail, 1 AS rank, c.id AS number,
        NULL::VARCHAR AS store
    FROM code c JOIN code_batch b ON b.id = c.batch_id LEFT JOIN import i ON i.id = b.import_id
    WHERE c.id BETWEEN $first AND $last AND c.id IN (FROM wanted)
    UNION ALL SELECT code_id, created_at, 'ASSIGNED', delivery_id, address, 2, id, NULL FROM held
        WHERE is_given
    UNION ALL SELECT h.code_id, s.settled_at, 'SENT', h.delivery_id, h.address, 3, h.id, NULL FROM sending s JOIN held h ON h.id = s.message_id WHERE s.outcome = 'SENT'
    UNION ALL SELECT h.code_id, s.settled_at, 'UNKNOWN', h.delivery_id, h.address, 3, h.id, NULL FROM sending s JOIN held h ON h.id = s.message_id WHERE s.outcome = 'UNKNOWN'
    UNION ALL SELECT h.code_id, b.happened_at, 'BOUNCED', h.delivery_id, coalesce(b.reason, ''), 4,
        h.id, NULL FROM bounce b JOIN held h ON h.id = b.message_id
        WHERE b.kind IN ('SOFT', 'HARD')
    UNION ALL SELECT code_id, returned_at, 'RETURNED', delivery_id, reason, 5, message_id, NULL
        FROM code_return WHERE code_id BETWEEN $first AND $last AND code_id IN (FROM wanted)
    UNION ALL SELECT code_id, redeemed_at, 'REDEEMED', delivery_id, coalesce(reference, ''), 6, id,
        store FROM redeemed
    UNION ALL SELECT r.code_id, v.reversed_at, 'REVERSED', r.delivery_id, coalesce(v.reason, ''), 7,
        r.id, NULL FROM reversal v JOIN redeemed r ON r.id = v.redemption_id
    UNION ALL SELECT code_id, voided_at, 'VOIDED', NULL, reason, 8, code_id, NULL FROM code_restore
        WHERE code_id BETWEEN $first AND $last AND code_id IN (FROM wanted)
    UNION ALL SELECT code_id, restored_at, 'RESTORED', NULL, coalesce(restored_by, ''), 9, code_id,
        NULL FROM code_restore WHERE code_id BETWEEN $first AND $last AND code_id IN (FROM wanted)
    UNION ALL SELECT code_id, voided_at, 'VOIDED', NULL, reason, 8, code_id, NULL FROM code_void
        WHERE code_id BETWEEN $first AND $last AND code_id IN (FROM wanted)
)
ORDER BY code_id, happened_at, rank, number
