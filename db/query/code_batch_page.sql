-- the numbers of batches of codes, newest first
SELECT id FROM code_batch
WHERE ($kind::VARCHAR IS NULL OR kind = $kind) AND ($after::BIGINT IS NULL OR id < $after)
ORDER BY id DESC
LIMIT $limit
