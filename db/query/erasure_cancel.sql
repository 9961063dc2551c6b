-- cancel the messages that are still to be sent to chosen recipients, but for those in open
-- batches: they are judged when these end
INSERT INTO sending (message_id, delivery_id, outcome, settled_at, failure, reason)
SELECT id, delivery_id, 'CANCELED', $now, $reason, 'ERASED' FROM message
WHERE recipient_id IN (SELECT id FROM chosen) AND delivery_id IN (SELECT id FROM delivery
    WHERE status IN ('SCHEDULED', 'IN_PROGRESS', 'PAUSED'))
    AND id NOT IN (SELECT message_id FROM sending WHERE delivery_id IN (SELECT id FROM delivery
        WHERE status IN ('SCHEDULED', 'IN_PROGRESS', 'PAUSED')))
    AND id NOT IN (
        SELECT a.message_id
        FROM (SELECT * FROM sending_attempt WHERE list_contains($batches::BIGINT[], batch_id)) a
        ANTI JOIN sending_refusal r ON r.message_id = a.message_id AND r.number = a.number
    )
