-- end the exports that a backup was made among, itself included
UPDATE export SET status = 'FAILED', failure = $failure, finished_at = $now, expires_at = $now
WHERE status IN ('QUEUED', 'RUNNING')
