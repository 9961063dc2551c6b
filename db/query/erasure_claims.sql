-- erase the idempotency keys of claims of chosen recipients: whoever made them may have named the
-- person. The claims and their codes stay
UPDATE posted_claim SET idempotency_key = NULL
WHERE idempotency_key IS NOT NULL AND recipient_id IN (SELECT id FROM chosen)
