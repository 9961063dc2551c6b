-- the numbers of addresses in quarantine, the latest first
SELECT id FROM quarantine
WHERE lifted_at IS NULL AND ($channel::VARCHAR IS NULL OR channel = $channel)
    AND ($reason::VARCHAR[] IS NULL OR list_contains($reason::VARCHAR[], reason))
    AND ($after::BIGINT IS NULL OR id < $after)
ORDER BY id DESC
LIMIT $limit
