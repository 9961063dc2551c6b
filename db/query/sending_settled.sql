-- which of some messages are settled
SELECT message_id FROM sending
WHERE message_id BETWEEN $first AND $last AND message_id IN (SELECT unnest($ids::BIGINT[]))
