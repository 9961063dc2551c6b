-- the recipients of a file; the condition and the order follow
SELECT external_id AS "externalId", email, phone, first_name AS "firstName",
    last_name AS "lastName", is_contactable AS "isContactable",
    attributes
FROM recipient
