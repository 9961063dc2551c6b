-- write the recipients that are known anew
INSERT INTO recipient (id, external_id, email, email_address, phone, phone_address, first_name,
    last_name, attributes, is_contactable, updated_at, erased_at)
SELECT id, external_id, email, email_address, phone, phone_address, first_name, last_name,
    attributes, is_contactable, $now, erased_at FROM merged ORDER BY id
