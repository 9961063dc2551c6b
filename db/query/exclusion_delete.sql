-- forget whom the last analysis left out
DELETE FROM exclusion WHERE delivery_id = $id
