-- the first target of a delivery
SELECT recipient_id FROM target WHERE delivery_id = $id ORDER BY seq LIMIT 1
