-- of messages to chosen recipients that a killed server was handing over nobody knows what became
-- of them
INSERT INTO sending (message_id, delivery_id, outcome, settled_at, failure)
SELECT DISTINCT a.message_id, a.delivery_id, 'UNKNOWN', $now, $reason
FROM (
    SELECT * FROM sending_attempt
    WHERE delivery_id IN (SELECT id FROM delivery WHERE status IN ('SCHEDULED', 'IN_PROGRESS',
        'PAUSED')) AND NOT list_contains($batches::BIGINT[], batch_id)
) a
SEMI JOIN (SELECT id FROM message WHERE recipient_id IN (SELECT id FROM chosen)) m
    ON m.id = a.message_id
ANTI JOIN sending_refusal r ON r.message_id = a.message_id AND r.number = a.number
ANTI JOIN sending s ON s.message_id = a.message_id
