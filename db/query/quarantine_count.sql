-- how many addresses are in quarantine
SELECT count(*) FROM quarantine
WHERE lifted_at IS NULL AND ($channel::VARCHAR IS NULL OR channel = $channel)
    AND ($reason::VARCHAR[] IS NULL OR list_contains($reason::VARCHAR[], reason))
