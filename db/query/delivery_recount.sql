-- count what became of the messages of deliveries
UPDATE delivery SET sent_count = c.sent, failed_count = c.failed, canceled_count = c.canceled,
    unknown_count = c.unknown
FROM (
    SELECT delivery_id, count(*) FILTER (outcome = 'SENT') AS sent,
        count(*) FILTER (outcome = 'FAILED') AS failed,
        count(*) FILTER (outcome = 'CANCELED') AS canceled,
        count(*) FILTER (outcome = 'UNKNOWN') AS unknown
    FROM sending GROUP BY delivery_id
) c
WHERE c.delivery_id = delivery.id AND delivery.status IN ('SCHEDULED', 'IN_PROGRESS', 'PAUSED')
