-- an upload by number, unless nobody needs it any more
SELECT file_name, byte_count, checksum, is_complete, created_at, expires_at FROM upload
WHERE id = $id AND (expires_at > $now
    OR id IN (SELECT upload_id FROM import WHERE status IN ('QUEUED', 'RUNNING')))
