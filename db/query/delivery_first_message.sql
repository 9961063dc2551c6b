-- the message of a delivery to a recipient
SELECT id FROM message WHERE delivery_id = $id AND recipient_id = $recipient_id
