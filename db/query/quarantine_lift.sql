-- write to addresses again
UPDATE quarantine SET lifted_at = $now
WHERE lifted_at IS NULL AND channel = $channel AND address_key IN (
    SELECT CASE WHEN $channel IN ('EMAIL', 'DIRECT_MAIL') THEN lower(address) ELSE address END
    FROM (SELECT unnest($addresses::VARCHAR[]) AS address)
)
