-- the deliveries that still have messages to send to chosen recipients
SELECT DISTINCT delivery_id FROM message
WHERE recipient_id IN (SELECT id FROM chosen) AND delivery_id IN (SELECT id FROM delivery
    WHERE status IN ('SCHEDULED', 'IN_PROGRESS', 'PAUSED'))
    AND id NOT IN (SELECT message_id FROM sending WHERE delivery_id IN (SELECT id FROM delivery
        WHERE status IN ('SCHEDULED', 'IN_PROGRESS', 'PAUSED')))
ORDER BY delivery_id
