-- who comes first of the targets with the address of recipients that were left out as doubles
WITH addressed AS (
    SELECT t.seq, t.recipient_id, r.external_id,
        key_of_address($channel, CASE $channel
            WHEN 'EMAIL' THEN coalesce(r.email_address, r.email)
            WHEN 'SMS' THEN coalesce(r.phone_address, r.phone)
            WHEN 'PUSH' THEN regexp_replace(json_extract_string(r.attributes, '/pushToken'),
                $invisible, '', 'g')
            ELSE regexp_replace(json_extract_string(r.attributes, '/postalAddress'),
                $invisible, '', 'g')
        END) AS address_key
    FROM target t JOIN recipient r ON r.id = t.recipient_id
    WHERE t.delivery_id = $id
)
SELECT x.recipient_id, arg_min(o.external_id, o.seq)
FROM addressed x
JOIN addressed o ON o.address_key = x.address_key AND o.seq < x.seq
WHERE x.recipient_id IN (SELECT unnest($ids::BIGINT[]))
    -- Who was left out for another reason of one's own does not get it either.
    AND o.recipient_id NOT IN (
        SELECT recipient_id FROM exclusion WHERE delivery_id = $id
            AND reason IN ('NO_ADDRESS', 'INVALID_ADDRESS', 'NOT_CONTACTABLE', 'QUARANTINED')
    )
GROUP BY x.recipient_id
