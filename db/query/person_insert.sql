-- add people who are not known yet
INSERT INTO recipient (id, external_id, email, email_address, phone, phone_address, first_name,
    last_name, attributes, is_contactable, updated_at)
SELECT id, externalId, email, emailAddress, phone, phoneAddress, firstName, lastName, attributes,
    isContactable, $now
FROM (SELECT unnest(from_json($people, '[{
    "id": "BIGINT", "externalId": "VARCHAR", "email": "VARCHAR", "emailAddress": "VARCHAR",
    "phone": "VARCHAR", "phoneAddress": "VARCHAR", "firstName": "VARCHAR", "lastName": "VARCHAR",
    "attributes": "VARCHAR", "isContactable": "BOOLEAN"}]'), recursive := true))
ORDER BY id
