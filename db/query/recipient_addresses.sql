-- what the forms to send of some recipients are made of, and what they are
SELECT id, email, email_address, phone, phone_address,
    json_extract_string(attributes, $country_path)
FROM recipient WHERE id BETWEEN $first AND $last AND (email IS NOT NULL OR phone IS NOT NULL)
ORDER BY id
