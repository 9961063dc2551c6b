-- the idempotency keys that still count
SELECT idempotency_key, id FROM redemption WHERE idempotency_key IS NOT NULL AND recorded_at >= $since
