-- note the size that an upload will have
UPDATE upload SET byte_count = $byte_count WHERE id = $id AND byte_count IS NULL
