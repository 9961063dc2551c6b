-- take everybody out of a list
DELETE FROM list_member WHERE list_id = $id
