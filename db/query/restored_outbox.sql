-- what stands in the outbox may be newer than what is known, so that it must not be cut off:
-- messages are written behind it
UPDATE delivery SET outbox_size = 9223372036854775807 WHERE finished_at IS NULL
