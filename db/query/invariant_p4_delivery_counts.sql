-- P4: a delivery counts its messages as its rows say
SELECT 'delivery_' || d.id FROM delivery d
LEFT JOIN (SELECT delivery_id, count(*) AS total FROM message GROUP BY delivery_id) m
    ON m.delivery_id = d.id
LEFT JOIN (
    SELECT delivery_id, count(*) FILTER (outcome = 'SENT') AS sent,
        count(*) FILTER (outcome = 'FAILED') AS failed,
        count(*) FILTER (outcome = 'CANCELED') AS canceled,
        count(*) FILTER (outcome = 'UNKNOWN') AS unknown
    FROM sending GROUP BY delivery_id
) s ON s.delivery_id = d.id
LEFT JOIN (SELECT delivery_id, count(*) AS targets FROM target GROUP BY delivery_id) t
    ON t.delivery_id = d.id
WHERE d.message_count <> coalesce(m.total, 0) OR d.sent_count <> coalesce(s.sent, 0)
    OR d.failed_count <> coalesce(s.failed, 0)
    OR d.canceled_count <> coalesce(s.canceled, 0) OR d.unknown_count <> coalesce(s.unknown, 0)
        OR d.target_count <> coalesce(t.targets, 0)
