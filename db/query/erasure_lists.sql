-- take chosen recipients out of all lists
DELETE FROM list_member WHERE recipient_id IN (SELECT id FROM chosen)
