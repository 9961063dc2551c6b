-- note when keys were used
UPDATE api_key SET last_used_at = make_timestamp(used.at)
FROM (SELECT unnest($ids::BIGINT[]) AS id, unnest($times::BIGINT[]) AS at) used
WHERE api_key.id = used.id
