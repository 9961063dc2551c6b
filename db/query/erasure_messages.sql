-- erase what messages copied of chosen recipients; the messages and their codes stay
UPDATE message SET address = '', external_id = NULL, email = NULL, phone = NULL, first_name = NULL,
    last_name = NULL, attributes = NULL
WHERE recipient_id IN (SELECT id FROM chosen)
