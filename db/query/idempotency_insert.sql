-- keep what an idempotency key made
INSERT INTO idempotency (caller, key, action, digest, object, detail, created_at)
VALUES ($caller, $key, $action, $digest, $object, $detail, $now)
