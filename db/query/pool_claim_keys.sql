-- the idempotency keys of claims that still count, with who gave them and the code
SELECT caller, idempotency_key, code_id FROM claim
WHERE idempotency_key IS NOT NULL AND claimed_at >= $since
