-- the targets that parts took leave the delivery
DELETE FROM target WHERE delivery_id = $id AND recipient_id IN (SELECT recipient_id FROM parted)
