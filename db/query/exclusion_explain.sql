-- what is known now of recipients that the analysis of a delivery left out: the address as it was
-- given, the country, and its quarantine
SELECT e.recipient_id, e.reason, a.address, a.country, q.reason, q.since, q.last_reason
FROM exclusion e
JOIN (
    SELECT id, json_extract_string(attributes, $country_path) AS country,
        CASE $channel
            WHEN 'EMAIL' THEN email
            WHEN 'SMS' THEN phone
            WHEN 'PUSH' THEN json_extract_string(attributes, '/pushToken')
            ELSE json_extract_string(attributes, '/postalAddress')
        END AS address,
        -- Those of attributes are compared without what nobody sees.
        key_of_address($channel, CASE $channel
            WHEN 'EMAIL' THEN coalesce(email_address, email)
            WHEN 'SMS' THEN coalesce(phone_address, phone)
            WHEN 'PUSH' THEN regexp_replace(json_extract_string(attributes, '/pushToken'),
                $invisible, '', 'g')
            ELSE regexp_replace(json_extract_string(attributes, '/postalAddress'),
                $invisible, '', 'g')
        END) AS address_key
    FROM recipient WHERE id BETWEEN $first AND $last AND id IN (SELECT unnest($ids::BIGINT[]))
) a ON a.id = e.recipient_id
LEFT JOIN quarantine q ON q.channel = $channel AND q.address_key = a.address_key
    AND q.lifted_at IS NULL
WHERE e.delivery_id = $id
