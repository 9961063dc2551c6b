-- the codes of messages to chosen recipients that are still to be sent and never reached a sender,
-- packed. What may have reached it keeps its code
SELECT string_agg(code_id, ' ') FROM message
WHERE recipient_id IN (SELECT id FROM chosen) AND delivery_id IN (SELECT id FROM delivery
    WHERE status IN ('SCHEDULED', 'IN_PROGRESS', 'PAUSED'))
    AND id NOT IN (SELECT message_id FROM sending WHERE delivery_id IN (SELECT id FROM delivery
        WHERE status IN ('SCHEDULED', 'IN_PROGRESS', 'PAUSED')))
    AND code_id IS NOT NULL AND id NOT IN (SELECT message_id FROM code_return)
    AND id NOT IN (
        SELECT a.message_id FROM (SELECT * FROM sending_attempt WHERE delivery_id IN (SELECT id
            FROM delivery WHERE status IN ('SCHEDULED', 'IN_PROGRESS', 'PAUSED'))) a
        LEFT JOIN sending_refusal f ON f.message_id = a.message_id AND f.number = a.number
        WHERE f.message_id IS NULL OR f.may_be_sent
    )
GROUP BY code_id // 4096
