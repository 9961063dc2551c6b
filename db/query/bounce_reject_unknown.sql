-- reject staged reports of messages that are not there, or that were never handed over
INSERT INTO rejected
SELECT s.line, CASE WHEN s.message_id IS NULL THEN 'UNKNOWN_MESSAGE' ELSE 'NOT_SENT' END, s.raw
FROM stage s ANTI JOIN (
    SELECT k.message_id FROM stage k
    JOIN sending o ON o.message_id = k.message_id AND o.outcome <> 'CANCELED'
    UNION ALL SELECT k.message_id FROM stage k JOIN sending_attempt a ON a.message_id = k.message_id
) h ON h.message_id = s.message_id
WHERE s.named_id IS NOT NULL
