-- nobody but its import needs an upload
UPDATE upload SET expires_at = $now WHERE id = $id
