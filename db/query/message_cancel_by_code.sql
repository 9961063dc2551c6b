-- cancel the pending messages that hold codes, or carry them again
INSERT INTO sending (message_id, delivery_id, outcome, settled_at, failure, reason)
SELECT m.id, m.delivery_id, 'CANCELED', $now, $reason, 'CODE_RELEASED'
FROM message m
WHERE (m.code_id BETWEEN $first AND $last AND m.code_id IN (SELECT unnest($ids::BIGINT[]))
        OR m.repeated_code_id BETWEEN $first AND $last
            AND m.repeated_code_id IN (SELECT unnest($ids::BIGINT[])))
    AND m.id NOT IN (SELECT message_id FROM code_return)
        AND m.id NOT IN (SELECT message_id FROM sending)
