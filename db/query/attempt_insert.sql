-- record that a batch of messages is being handed over, or what is left of it. Its size stays the
-- same
INSERT INTO sending_attempt (message_id, delivery_id, number, batch_id, batch_size, began_at)
SELECT unnest($ids::BIGINT[]), $delivery_id, $number, $batch_id, $size, $now
