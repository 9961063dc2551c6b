-- end the imports whose files are not in a backup
UPDATE import SET status = 'FAILED', failure = $failure, finished_at = $now
WHERE status IN ('QUEUED', 'RUNNING')
