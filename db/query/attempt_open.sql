-- which of some batches of messages are open, and of which deliveries: a message of theirs was
-- handed over, and nobody knows what came of it
SELECT DISTINCT a.batch_id, a.delivery_id
FROM (SELECT * FROM sending_attempt WHERE batch_id IN (SELECT unnest($batches::BIGINT[]))) a
ANTI JOIN sending_refusal r ON r.message_id = a.message_id AND r.number = a.number
ANTI JOIN sending s ON s.message_id = a.message_id
ORDER BY a.batch_id
