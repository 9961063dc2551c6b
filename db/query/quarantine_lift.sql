-- write to addresses again
UPDATE quarantine SET lifted_at = $now
WHERE lifted_at IS NULL AND channel = $channel AND address_key IN (
    SELECT CASE $channel WHEN 'SMS' THEN regexp_replace(address, '[^0-9+]', '', 'g') ELSE lower(trim(address)) END
    FROM (SELECT unnest($addresses::VARCHAR[]) AS address)
)
