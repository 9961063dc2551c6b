-- give the codes of messages and claims back to the pool
INSERT INTO code_return (code_id, message_id, delivery_id, returned_at, reason)
SELECT m.code_id, m.id, m.delivery_id, $now, $reason
FROM holding m
WHERE m.code_id BETWEEN $first AND $last AND m.code_id IN (SELECT unnest($ids::BIGINT[]))
    AND m.id NOT IN (SELECT message_id FROM code_return)
