-- messages by number. A pending one tells why it was rejected last
SELECT m.id, m.delivery_id, m.recipient_id, m.address, CASE WHEN r.message_id IS NULL
    THEN coalesce(m.code_id, m.repeated_code_id) END, m.repeats_id IS NOT NULL, m.created_at, coalesce(s.outcome, 'PENDING'), s.settled_at, s.reason,
    CASE WHEN s.message_id IS NULL THEN f.reason ELSE s.failure END,
    greatest(coalesce(a.attempts, 0), coalesce(f.refusals, 0) + CASE WHEN s.outcome = 'SENT' THEN 1
    ELSE 0 END),
    o.outcome, o.happened_at, o.reason
FROM message m
LEFT JOIN (SELECT * FROM sending WHERE message_id BETWEEN $first AND $last) s ON s.message_id = m.id
LEFT JOIN (SELECT message_id FROM code_return WHERE message_id BETWEEN $first AND $last
    OR message_id IN (SELECT repeats_id FROM message WHERE id BETWEEN $first AND $last)) r
    ON r.message_id = coalesce(m.repeats_id, m.id)
LEFT JOIN (
    SELECT message_id, max(number) AS attempts FROM sending_attempt
    WHERE message_id BETWEEN $first AND $last GROUP BY message_id
) a ON a.message_id = m.id
LEFT JOIN (
    SELECT message_id, count(*) AS refusals, arg_max(reason, number) AS reason FROM sending_refusal
    WHERE message_id BETWEEN $first AND $last GROUP BY message_id
) f ON f.message_id = m.id
LEFT JOIN (SELECT * FROM message_outcome WHERE message_id BETWEEN $first AND $last) o
    ON o.message_id = m.id
WHERE m.id BETWEEN $first AND $last AND m.id IN (SELECT unnest($ids::BIGINT[]))
