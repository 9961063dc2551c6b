-- delete a list of recipients
DELETE FROM recipient_list WHERE id = $id
