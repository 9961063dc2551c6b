-- keys of the API, by their labels
SELECT label, 'key_' || id, CASE WHEN revoked_at IS NULL THEN 'there' ELSE 'revoked' END
FROM api_key
