-- the first message of a delivery that is pending; 0: there is none
SELECT coalesce(min(id), 0) FROM message
WHERE delivery_id = $id AND id NOT IN (SELECT message_id FROM sending WHERE delivery_id = $id)
