-- an export begins
UPDATE export SET status = 'RUNNING', started_at = $now
WHERE id = $id AND status IN ('QUEUED', 'RUNNING')
