-- the checksum of a whole file, which an import still has when the file is gone
SELECT coalesce((SELECT checksum FROM upload WHERE id = $id AND is_complete),
    (SELECT any_value(checksum) FROM import WHERE upload_id = $id), '')
