-- record what became of messages
INSERT INTO sending (message_id, delivery_id, outcome, settled_at, failure)
SELECT unnest($ids::BIGINT[]), $delivery_id, $outcome, $now, unnest($failures::VARCHAR[])
