-- the recipients that are known, as they are to be; the bits of given say which fields the caller
-- gave: 1 email, 2 phone, 4 first name, 8 last name, 16 attributes, 32 is_contactable
CREATE OR REPLACE TEMP TABLE merged AS
SELECT r.id, r.external_id,
    CASE WHEN s.given & 1 > 0 THEN s.email ELSE r.email END AS email,
    CASE WHEN s.given & 1 > 0 THEN s.email_address ELSE r.email_address END AS email_address,
    CASE WHEN s.given & 2 > 0 THEN s.phone ELSE r.phone END AS phone,
    CASE WHEN s.given & 2 > 0 THEN s.phone_address ELSE r.phone_address END AS phone_address,
    CASE WHEN s.given & 4 > 0 THEN s.first_name ELSE r.first_name END AS first_name,
    CASE WHEN s.given & 8 > 0 THEN s.last_name ELSE r.last_name END AS last_name,
    CASE WHEN s.given & 16 > 0 THEN s.attributes ELSE r.attributes END AS attributes,
    CASE WHEN s.given & 32 > 0 THEN s.is_contactable ELSE r.is_contactable END AS is_contactable,
    r.erased_at
FROM (FROM stage ANTI JOIN rejected ON rejected.line = stage.line) s
JOIN recipient r ON r.external_id = s.external_id
