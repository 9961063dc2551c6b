-- forget the uploads that nobody needs any more
DELETE FROM upload WHERE expires_at <= $now
    AND id NOT IN (SELECT upload_id FROM import WHERE status IN ('QUEUED', 'RUNNING'))
