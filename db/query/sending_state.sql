-- where the sending of a delivery stands
SELECT status, first_message_id, message_count, sent_count + failed_count + canceled_count, outbox_size FROM delivery WHERE id = $id
