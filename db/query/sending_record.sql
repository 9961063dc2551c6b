-- count a batch of a delivery, and how far its outbox file is valid. It gives how many messages are
-- pending then
UPDATE delivery SET sent_count = sent_count + $sent, failed_count = failed_count + $failed,
    canceled_count = canceled_count + $canceled,
    unknown_count = unknown_count + $unknown, outbox_size = $outbox_size
WHERE id = $id
RETURNING message_count - sent_count - failed_count - canceled_count - unknown_count
