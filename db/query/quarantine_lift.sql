-- write to addresses again
UPDATE quarantine SET lifted_at = $now
WHERE lifted_at IS NULL AND channel = $channel AND address_key IN (
    SELECT key_of_address($channel, address)
    FROM (SELECT unnest($addresses::VARCHAR[]) AS address)
)
