-- change the recipients that are known; the bits of given say which fields the caller gave: 1
-- email, 2 phone, 4 first name, 8 last name, 16 attributes, 32 is_contactable
UPDATE recipient SET
    email = CASE WHEN s.given & 1 > 0 THEN s.email ELSE recipient.email END,
    email_address = CASE WHEN s.given & 1 > 0 THEN s.email_address ELSE recipient.email_address END,
    phone = CASE WHEN s.given & 2 > 0 THEN s.phone ELSE recipient.phone END,
    phone_address = CASE WHEN s.given & 2 > 0 THEN s.phone_address ELSE recipient.phone_address END,
    first_name = CASE WHEN s.given & 4 > 0 THEN s.first_name ELSE recipient.first_name END,
    last_name = CASE WHEN s.given & 8 > 0 THEN s.last_name ELSE recipient.last_name END,
    attributes = CASE WHEN s.given & 16 > 0 THEN s.attributes ELSE recipient.attributes END,
    is_contactable = CASE WHEN s.given & 32 > 0 THEN s.is_contactable
    ELSE recipient.is_contactable END,
    updated_at = $now
FROM (FROM stage ANTI JOIN rejected ON rejected.line = stage.line) s
WHERE s.external_id = recipient.external_id
