-- create a key
INSERT INTO api_key (id, label, role, requests_per_second, digest, created_at, expires_at)
VALUES ($id, $label, $role, $requests_per_second, $digest, $now, $expires_at)
