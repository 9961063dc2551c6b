-- recipients by number
SELECT id, external_id, email, phone, first_name, last_name, attributes, is_contactable, erased_at
FROM recipient
WHERE id BETWEEN $first AND $last
