-- recipient_addresses for known recipients of whom either the phone or the country was given: the
-- other is what is known
SELECT r.id, r.email, r.email_address, r.phone, r.phone_address,
    json_extract_string(r.attributes, $country_path)
FROM (FROM stage ANTI JOIN rejected ON rejected.line = stage.line) s
JOIN recipient r ON r.external_id = s.external_id
WHERE (s.given & 2 > 0) <> (s.given & 128 > 0) AND r.phone NOT LIKE '+%'
