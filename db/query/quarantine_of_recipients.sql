-- the addresses of recipients that are in quarantine
SELECT a.id, q.channel, q.address, q.since, q.reason, q.bounce_count, q.last_reason
FROM (
    SELECT id, channel, key_of_address(channel, address) AS address_key
    FROM (
        SELECT id, unnest(['EMAIL', 'SMS', 'PUSH', 'DIRECT_MAIL']) AS channel,
            unnest([coalesce(email_address, email), coalesce(phone_address, phone),
            regexp_replace(json_extract_string(attributes, '/pushToken'), $invisible, '', 'g'),
                regexp_replace(json_extract_string(attributes, '/postalAddress'), $invisible, '',
                'g')]) AS address
        FROM recipient WHERE id BETWEEN $first AND $last AND id IN (SELECT unnest($ids::BIGINT[]))
    )
) a
JOIN quarantine q ON q.address_key = a.address_key AND q.channel = a.channel
WHERE q.lifted_at IS NULL
ORDER BY a.id, q.id
