-- the messages of the codes of a page, those that returned them among them
SELECT code_id, id, delivery_id, recipient_id FROM message
WHERE code_id BETWEEN $first AND $last
