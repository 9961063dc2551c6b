-- the numbers of exports, newest first
SELECT id FROM export
WHERE ($kind::VARCHAR IS NULL OR kind = $kind)
    AND ($status::VARCHAR[] IS NULL OR list_contains($status::VARCHAR[], status))
    AND ($after::BIGINT IS NULL OR id < $after)
ORDER BY id DESC
LIMIT $limit
