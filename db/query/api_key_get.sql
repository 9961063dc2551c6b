-- all keys
SELECT id, label, role, requests_per_second, digest, created_at, expires_at, last_used_at,
    revoked_at FROM api_key
