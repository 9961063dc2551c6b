-- imports and deliveries that failed lately, and deliveries that the server halted; an import whose
-- file succeeded since is mended. Why it failed is for those alone who may see it
SELECT 'IMPORT_FAILED' AS kind, 4 AS rank, i.id AS subject_id, i.finished_at AS due_at,
    'The import of "' || i.file_name || '" failed. Its `failure` says why.' AS text
FROM import i
WHERE i.status = 'FAILED' AND NOT i.is_dry_run AND i.finished_at > $since AND NOT EXISTS (
    FROM import n WHERE n.status = 'SUCCEEDED' AND NOT n.is_dry_run AND n.kind = i.kind
        AND n.checksum = i.checksum AND n.id > i.id
        AND n.coupon_id IS NOT DISTINCT FROM i.coupon_id
            AND n.delivery_id IS NOT DISTINCT FROM i.delivery_id
)
UNION ALL
SELECT 'DELIVERY_FAILED', 5, d.id, d.finished_at, 'The delivery "' || d.label
    || '" failed: none of its ' || d.message_count || ' messages could be sent.'
FROM delivery d
WHERE d.status = 'FAILED' AND d.finished_at > $since
UNION ALL
SELECT 'DELIVERY_FAILED', 5, d.id, d.finished_at, 'The delivery "' || d.label
    || '" is finished, but ' || d.failed_count || ' of its ' || d.message_count
    || ' messages could not be sent.'
FROM delivery d
WHERE d.status = 'FINISHED' AND d.finished_at > $since AND d.failed_count >= $many
    AND d.failed_count >= $share * d.message_count
UNION ALL
SELECT 'DELIVERY_STOPPED', 6, d.id, d.halted_at,
    'The delivery "' || d.label || '" was stopped by the server: ' || d.halt_cause
FROM delivery d
WHERE d.status = 'STOPPED' AND d.halted_at > $since
UNION ALL
SELECT 'DELIVERY_PAUSED', 7, d.id, d.halted_at,
    'The delivery "' || d.label || '" was paused by the server: ' || d.halt_cause
FROM delivery d
WHERE d.status = 'PAUSED' AND d.halted_at IS NOT NULL
