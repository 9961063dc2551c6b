-- recipient_addresses for known recipients of whom either the phone or the attributes were given: the country is in the other
SELECT r.id, r.email, r.email_address, r.phone, r.phone_address, json_extract_string(r.attributes, $country_path)
FROM (FROM stage ANTI JOIN rejected ON rejected.line = stage.line) s
JOIN recipient r ON r.external_id = s.external_id
WHERE (s.given & 2 > 0) <> (s.given & 16 > 0) AND r.phone NOT LIKE '+%'
