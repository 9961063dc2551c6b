-- free what is held for a delivery
DELETE FROM hold WHERE delivery_id = $id
