-- what a redemption carries of the code's assignment
SELECT m.delivery_id, d.channel, m.label, m.created_at
FROM message m JOIN delivery d ON d.id = m.delivery_id
WHERE m.code_id = $code_id AND m.id NOT IN (SELECT message_id FROM code_return WHERE code_id = $code_id)
