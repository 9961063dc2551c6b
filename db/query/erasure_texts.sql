-- what is known of chosen recipients and may be the value of a rejected row
CREATE OR REPLACE TEMP TABLE erased AS
SELECT DISTINCT lower(trim(text)) AS text FROM (
    SELECT unnest([external_id, email, phone, first_name, last_name, attributes]) AS text
    FROM recipient WHERE id IN (SELECT id FROM chosen)
    UNION ALL SELECT unnest(json_extract_string(attributes, '$.*')) FROM recipient
        WHERE id IN (SELECT id FROM chosen)
    UNION ALL SELECT unnest([address, email, phone, first_name, last_name]) FROM message
        WHERE recipient_id IN (SELECT id FROM chosen)
    UNION ALL SELECT customer FROM erased_redemption
    UNION ALL SELECT unnest($customers::VARCHAR[])
)
WHERE text IS NOT NULL AND text NOT IN ('', '{}')
