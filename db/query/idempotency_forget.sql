-- forget the idempotency keys that do not count any more
DELETE FROM idempotency WHERE created_at < $since
