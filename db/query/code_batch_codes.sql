-- the first and the last number of the codes that a batch brought
SELECT first_id, last_id FROM code_batch WHERE id = $id
