-- give a list of recipients another name
UPDATE recipient_list SET label = $label WHERE id = $id
