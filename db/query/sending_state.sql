-- where the sending of a delivery stands
SELECT status, first_message_id, message_count, outbox_size FROM delivery WHERE id = $id
