-- how many messages to chosen recipients are in open batches
SELECT count(DISTINCT a.message_id)
FROM (SELECT * FROM sending_attempt WHERE list_contains($batches::BIGINT[], batch_id)) a
SEMI JOIN (SELECT id FROM message WHERE recipient_id IN (SELECT id FROM chosen)) m
    ON m.id = a.message_id
ANTI JOIN sending_refusal r ON r.message_id = a.message_id AND r.number = a.number
ANTI JOIN sending s ON s.message_id = a.message_id
