-- cancel the pending messages of a delivery
INSERT INTO sending (message_id, delivery_id, outcome, settled_at, failure)
SELECT id, delivery_id, 'CANCELED', $now, 'The delivery was stopped.' FROM message
WHERE delivery_id = $id AND id NOT IN (SELECT message_id FROM sending WHERE delivery_id = $id)
