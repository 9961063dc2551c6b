-- add the recipients that are new; without bit 32 of given a row says nothing of consent, and
-- is_contactable is what a new recipient is unless other rows say something: then it is not
-- contactable
INSERT INTO recipient (id, external_id, email, email_address, phone, phone_address, first_name,
    last_name, attributes, is_contactable, updated_at)
SELECT $first_id + row_number() OVER (ORDER BY s.line) - 1, s.external_id, s.email, s.email_address,
    s.phone, s.phone_address, s.first_name, s.last_name, s.attributes,
    s.is_contactable AND (s.given & 32 > 0 OR NOT $consent_is_said), $now
FROM (FROM stage ANTI JOIN rejected ON rejected.line = stage.line) s
ANTI JOIN recipient r ON r.external_id = s.external_id
ORDER BY s.line
