-- keep the file of an import longer, for its rejected rows
UPDATE upload SET expires_at = greatest(expires_at, $expires_at)
WHERE id = (SELECT upload_id FROM import WHERE id = $import_id)
