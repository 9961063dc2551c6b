-- what a caller's idempotency key made
SELECT action, digest, object, coalesce(detail, '') FROM idempotency
WHERE caller = $caller AND key = $key AND created_at >= $since
