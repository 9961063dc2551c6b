-- an import begins
UPDATE import SET status = 'RUNNING', started_at = $now
WHERE id = $id AND status IN ('QUEUED', 'RUNNING')
