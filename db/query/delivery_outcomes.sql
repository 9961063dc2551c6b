-- how many messages of deliveries came to what, and how many of those sent came back
SELECT o.delivery_id, count_if(o.outcome = 'DELIVERED'), count_if(o.outcome = 'SOFT_BOUNCE'),
    count_if(o.outcome = 'HARD_BOUNCE'), count_if(o.outcome = 'COMPLAINT'),
    count_if(o.outcome IN ('SOFT_BOUNCE', 'HARD_BOUNCE') AND s.outcome = 'SENT')
FROM (SELECT * FROM message_outcome WHERE delivery_id IN (SELECT unnest($ids::BIGINT[]))) o
LEFT JOIN (SELECT message_id, outcome FROM sending
    WHERE delivery_id IN (SELECT unnest($ids::BIGINT[]))) s ON s.message_id = o.message_id
GROUP BY o.delivery_id
