-- messages by number
SELECT m.id, m.delivery_id, m.recipient_id, m.address, CASE WHEN r.message_id IS NULL THEN m.code_id END, m.created_at, coalesce(s.outcome, 'PENDING'), s.settled_at, s.failure
FROM message m
LEFT JOIN (SELECT * FROM sending WHERE message_id BETWEEN $first AND $last) s ON s.message_id = m.id
LEFT JOIN (SELECT message_id FROM code_return WHERE message_id BETWEEN $first AND $last) r ON r.message_id = m.id
WHERE m.id BETWEEN $first AND $last AND m.id IN (SELECT unnest($ids::BIGINT[]))
