-- record a migration
INSERT INTO migration (name, checksum, applied_at) VALUES ($name, $checksum, $now)
