-- a delivery counts other messages than it has
SELECT 'delivery_' || d.id || ' counts ' || concat_ws('/', d.message_count, d.sent_count, d.failed_count, d.canceled_count, d.unknown_count, d.target_count) || ' and has '
    || concat_ws('/', m.total, m.sent, m.failed, m.canceled, m.unknown, t.total)
FROM delivery d,
LATERAL (
    SELECT count(*) AS total, count(*) FILTER (outcome = 'SENT') AS sent,
        count(*) FILTER (outcome = 'FAILED') AS failed,
        count(*) FILTER (outcome = 'CANCELED') AS canceled,
        count(*) FILTER (outcome = 'UNKNOWN') AS unknown
    FROM message LEFT JOIN sending ON message_id = message.id WHERE message.delivery_id = d.id
) m,
LATERAL (SELECT count(*) AS total FROM target WHERE target.delivery_id = d.id) t
WHERE (d.message_count, d.sent_count, d.failed_count, d.canceled_count, d.unknown_count,
    d.target_count) IS DISTINCT FROM (m.total, m.sent, m.failed, m.canceled, m.unknown, t.total)
