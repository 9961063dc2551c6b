-- record that a batch of messages is being handed over
INSERT INTO sending_attempt (message_id, delivery_id, number, batch_id, batch_size, began_at)
SELECT unnest($ids::BIGINT[]), $delivery_id, $number, $batch_id, len($ids::BIGINT[]), $now
