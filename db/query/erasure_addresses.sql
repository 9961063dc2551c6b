-- the addresses of chosen recipients that something was reported of, other than those that recipients have who stay
CREATE OR REPLACE TEMP TABLE erased_address AS
WITH own AS (
    SELECT DISTINCT channel, CASE channel WHEN 'SMS' THEN regexp_replace(address, '[^0-9+]', '', 'g') ELSE lower(trim(address)) END AS address_key
    FROM (
        SELECT unnest(['EMAIL', 'SMS', 'PUSH', 'DIRECT_MAIL']) AS channel,
            unnest([email, phone, json_extract_string(attributes, '/pushToken'), json_extract_string(attributes, '/postalAddress')]) AS address
        FROM recipient WHERE id IN (SELECT id FROM chosen)
        UNION ALL
        SELECT d.channel, m.address FROM message m JOIN delivery d ON d.id = m.delivery_id WHERE m.recipient_id IN (SELECT id FROM chosen)
    )
    WHERE trim(address) <> ''
), reported AS (
    SELECT DISTINCT o.channel, o.address_key FROM own o JOIN (
        SELECT channel, address_key FROM quarantine UNION ALL SELECT channel, address_key FROM bounce WHERE message_id IS NULL
    ) b ON b.address_key = o.address_key AND b.channel = o.channel
), kept AS (
    SELECT * FROM recipient ANTI JOIN chosen ON chosen.id = recipient.id
)
SELECT * FROM reported ANTI JOIN (
    SELECT r.channel, r.address_key FROM reported r JOIN kept ON lower(trim(kept.email)) = r.address_key WHERE r.channel = 'EMAIL'
    UNION ALL
    SELECT r.channel, r.address_key FROM reported r JOIN kept ON regexp_replace(kept.phone, '[^0-9+]', '', 'g') = r.address_key WHERE r.channel = 'SMS'
    UNION ALL
    SELECT r.channel, r.address_key FROM reported r JOIN kept ON lower(trim(json_extract_string(kept.attributes, '/pushToken'))) = r.address_key
    WHERE r.channel = 'PUSH'
    UNION ALL
    SELECT r.channel, r.address_key FROM reported r JOIN kept ON lower(trim(json_extract_string(kept.attributes, '/postalAddress'))) = r.address_key
    WHERE r.channel = 'DIRECT_MAIL'
) shared USING (channel, address_key)
