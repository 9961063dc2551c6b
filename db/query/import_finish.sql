-- an import is done
UPDATE import
SET status = $status, format = $format, rows_read = $rows_read, rows_imported = $rows_imported,
    rows_rejected = $rows_rejected, findings = $findings, failure = $failure, finished_at = $now
WHERE id = $id AND status IN ('QUEUED', 'RUNNING')
