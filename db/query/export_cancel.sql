-- call off an export that waits or runs
UPDATE export SET status = 'CANCELED', finished_at = $now
WHERE id = $id AND status IN ('QUEUED', 'RUNNING')
