-- the messages of a delivery, each with what became of it, for a file. A pending one tells why it
-- was rejected last
SELECT 'message_' || m.id AS message, r.external_id AS "externalId", d.channel, m.address, CASE
    WHEN b.message_id IS NULL THEN coalesce(c.value, c.key) END AS code,
    coalesce(m.label, c.label) AS label,
    coalesce(s.outcome, 'PENDING') AS status, CASE
    WHEN s.outcome = 'SENT' THEN s.settled_at END AS "sentAt",
    CASE WHEN s.message_id IS NULL THEN f.reason ELSE s.failure END AS failure,
    'delivery_' || m.delivery_id AS delivery, s.reason AS "cancelReason", o.outcome,
    o.happened_at AS "outcomeAt",
    o.reason AS "outcomeReason"
FROM message m
JOIN delivery d ON d.id = m.delivery_id
LEFT JOIN recipient r ON r.id = m.recipient_id
LEFT JOIN code c ON c.id = coalesce(m.code_id, m.repeated_code_id)
LEFT JOIN (SELECT message_id FROM code_return WHERE delivery_id = $delivery_id
    OR message_id IN (SELECT repeats_id FROM message WHERE delivery_id = $delivery_id)) b
    ON b.message_id = coalesce(m.repeats_id, m.id)
LEFT JOIN (SELECT message_id, outcome, settled_at, failure, reason FROM sending
    WHERE delivery_id = $delivery_id) s ON s.message_id = m.id
LEFT JOIN (SELECT message_id, arg_max(reason, number) AS reason FROM sending_refusal
    WHERE delivery_id = $delivery_id GROUP BY message_id) f
    ON f.message_id = m.id
LEFT JOIN (SELECT message_id, outcome, happened_at, reason FROM message_outcome
    WHERE delivery_id = $delivery_id) o ON o.message_id = m.id
WHERE m.delivery_id = $delivery_id
