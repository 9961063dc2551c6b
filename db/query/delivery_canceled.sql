-- how many messages of deliveries were canceled, by reason
SELECT delivery_id, reason, count(*) FROM sending
WHERE delivery_id IN (SELECT unnest($ids::BIGINT[])) AND outcome = 'CANCELED'
GROUP BY delivery_id, reason
