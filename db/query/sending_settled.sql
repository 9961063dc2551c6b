-- which of some messages are final
SELECT message_id FROM sending WHERE message_id BETWEEN $first AND $last AND list_contains($ids::BIGINT[], message_id)
