-- a backup has no exported files
UPDATE export SET expires_at = $now WHERE expires_at > $now
