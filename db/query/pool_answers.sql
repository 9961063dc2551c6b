-- the idempotency keys that still count, with who gave them: '' where the redemption is of before
-- that was recorded
SELECT coalesce(caller, ''), idempotency_key, id FROM redemption
WHERE idempotency_key IS NOT NULL AND recorded_at >= $since
