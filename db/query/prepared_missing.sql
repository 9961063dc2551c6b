-- how many of those who get a message lack a value that it shows, and the first of them, packed
SELECT count(*), coalesce(array_to_string(min(p.recipient_id, $limit), ' '), '')
FROM prepared p JOIN recipient r ON r.id = p.recipient_id
WHERE p.reason IS NULL AND coalesce(CASE $value
    WHEN 'recipient.email' THEN r.email
    WHEN 'recipient.phone' THEN r.phone
    WHEN 'recipient.firstName' THEN r.first_name
    WHEN 'recipient.lastName' THEN r.last_name
    ELSE json_extract_string(r.attributes, $path)
END, '') = ''
