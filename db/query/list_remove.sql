-- take the chosen recipients out of a list
DELETE FROM list_member WHERE list_id = $id AND recipient_id IN (SELECT id FROM chosen)
