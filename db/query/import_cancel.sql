-- call off an import that waits
UPDATE import SET status = 'CANCELED', finished_at = $now
WHERE id = $id AND status IN ('QUEUED', 'RUNNING')
