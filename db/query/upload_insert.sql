-- make a place for a file
INSERT INTO upload (id, file_name, byte_count, checksum, is_complete, created_at, expires_at)
VALUES ($id, $file_name, $byte_count, $checksum, false, $now, $expires_at)
