-- addresses in quarantine by number
SELECT id, channel, address, since, reason, bounce_count, last_reason FROM quarantine
WHERE id IN (SELECT unnest($ids::BIGINT[])) AND lifted_at IS NULL
