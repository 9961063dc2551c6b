-- delete the log of a delivery
DELETE FROM delivery_log WHERE delivery_id = $id
