-- record what became of messages. A reason '' (a list has one type): none
INSERT INTO sending (message_id, delivery_id, outcome, settled_at, failure, reason)
SELECT unnest($ids::BIGINT[]), $delivery_id, $outcome, $now, unnest($failures::VARCHAR[]),
    nullif(unnest($reasons::VARCHAR[]), '')
