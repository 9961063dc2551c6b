-- forget an upload that no import waits for
DELETE FROM upload WHERE id = $id
    AND id NOT IN (SELECT upload_id FROM import WHERE status IN ('QUEUED', 'RUNNING'))
