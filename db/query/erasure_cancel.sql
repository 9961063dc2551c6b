-- cancel the messages that are still to be sent to chosen recipients
INSERT INTO sending (message_id, delivery_id, outcome, settled_at, failure)
SELECT id, delivery_id, 'CANCELED', $now, $reason FROM message
WHERE recipient_id IN (SELECT id FROM chosen) AND delivery_id IN (SELECT id FROM delivery WHERE status IN ('SCHEDULED', 'IN_PROGRESS', 'PAUSED'))
    AND id NOT IN (SELECT message_id FROM sending WHERE delivery_id IN (SELECT id FROM delivery WHERE status IN ('SCHEDULED', 'IN_PROGRESS', 'PAUSED')))
