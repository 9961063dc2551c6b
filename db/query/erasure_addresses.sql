-- the addresses of chosen recipients that something was reported of, other than those that
-- recipients have who stay
CREATE OR REPLACE TEMP TABLE erased_address AS
WITH own AS (
    SELECT DISTINCT channel, key_of_address(channel, address) AS address_key
    FROM (
        SELECT unnest(['EMAIL', 'SMS', 'PUSH', 'DIRECT_MAIL']) AS channel,
            unnest([coalesce(email_address, email), coalesce(phone_address, phone),
                regexp_replace(json_extract_string(attributes, '/pushToken'), $invisible, '', 'g'),
                regexp_replace(json_extract_string(attributes, '/postalAddress'), $invisible, '',
                'g')]) AS address
        FROM recipient WHERE id IN (SELECT id FROM chosen)
        UNION ALL
        SELECT d.channel, m.address FROM message m JOIN delivery d ON d.id = m.delivery_id
        WHERE m.recipient_id IN (SELECT id FROM chosen)
    )
    WHERE address <> ''
), reported AS (
    SELECT DISTINCT o.channel, o.address_key FROM own o JOIN (
        SELECT channel, address_key FROM quarantine UNION ALL SELECT channel, address_key
        FROM bounce WHERE message_id IS NULL
    ) b ON b.address_key = o.address_key AND b.channel = o.channel
), kept AS (
    SELECT * FROM recipient ANTI JOIN chosen ON chosen.id = recipient.id
)
SELECT * FROM reported ANTI JOIN (
    SELECT r.channel, r.address_key FROM reported r JOIN kept
        ON key_of_address('EMAIL', coalesce(kept.email_address, kept.email)) = r.address_key
    WHERE r.channel = 'EMAIL'
    UNION ALL
    SELECT r.channel, r.address_key FROM reported r JOIN kept
        ON coalesce(kept.phone_address, kept.phone) = r.address_key WHERE r.channel = 'SMS'
    UNION ALL
    SELECT r.channel, r.address_key FROM reported r
    JOIN kept ON regexp_replace(json_extract_string(kept.attributes, '/pushToken'), $invisible,
        '', 'g') = r.address_key
    WHERE r.channel = 'PUSH'
    UNION ALL
    SELECT r.channel, r.address_key FROM reported r JOIN kept
        ON key_of_address('DIRECT_MAIL', regexp_replace(json_extract_string(kept.attributes,
        '/postalAddress'), $invisible, '', 'g')) = r.address_key
    WHERE r.channel = 'DIRECT_MAIL'
) shared USING (channel, address_key)
