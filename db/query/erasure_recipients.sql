-- erase chosen recipients; an id that tells nothing takes the place of the caller's own
UPDATE recipient SET external_id = 'erased-' || uuid(), email = NULL, email_address = NULL, phone = NULL, phone_address = NULL, first_name = NULL, last_name = NULL, attributes = '{}',
    is_contactable = false, updated_at = $now, erased_at = $now
WHERE id IN (SELECT id FROM chosen)
