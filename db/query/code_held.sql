-- the messages that hold codes, or held them until they were returned
SELECT code_id, id, delivery_id, recipient_id, address FROM message
WHERE code_id BETWEEN $first AND $last
