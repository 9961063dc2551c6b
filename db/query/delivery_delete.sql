-- delete a delivery that was never confirmed
DELETE FROM delivery WHERE id = $id
