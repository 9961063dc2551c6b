-- take all targets out of a delivery
DELETE FROM target WHERE delivery_id = $id
