-- the codes that messages hold, packed; by which delivery, and whether the message was sent or may
-- have been
SELECT m.delivery_id, s.message_id IS NOT NULL
    OR u.message_id IS NOT NULL, string_agg(m.code_id, ' ')
FROM message m
ANTI JOIN code_return r ON r.message_id = m.id
LEFT JOIN (SELECT message_id FROM sending WHERE outcome IN ('SENT', 'UNKNOWN')) s
    ON s.message_id = m.id
LEFT JOIN (
    SELECT DISTINCT a.message_id FROM sending_attempt a
    LEFT JOIN sending_refusal f ON f.message_id = a.message_id AND f.number = a.number
    WHERE f.message_id IS NULL OR f.may_be_sent
) u ON u.message_id = m.id
WHERE m.code_id IS NOT NULL
GROUP BY 1, 2, m.id // 4096
