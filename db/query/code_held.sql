-- the messages that hold codes
SELECT m.code_id, m.id, m.delivery_id, m.recipient_id, d.channel, m.address, m.created_at
FROM message m JOIN delivery d ON d.id = m.delivery_id
WHERE m.id NOT IN (SELECT message_id FROM code_return WHERE code_id BETWEEN $first AND $last) AND m.code_id BETWEEN $first AND $last
