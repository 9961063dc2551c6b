-- a file is complete
UPDATE upload SET is_complete = true, byte_count = $byte_count, checksum = $checksum
WHERE id = $id AND NOT is_complete
