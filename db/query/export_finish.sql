-- an export is done
UPDATE export SET status = $status, row_count = $row_count, byte_count = $byte_count,
    failure = $failure, finished_at = $now, expires_at = $expires_at
WHERE id = $id AND status IN ('QUEUED', 'RUNNING')
