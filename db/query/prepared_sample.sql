-- the first of those who get a message
SELECT r.external_id, r.email, r.phone, r.first_name, r.last_name, r.attributes
FROM prepared p JOIN recipient r ON r.id = p.recipient_id
WHERE p.reason IS NULL ORDER BY p.seq LIMIT $limit
