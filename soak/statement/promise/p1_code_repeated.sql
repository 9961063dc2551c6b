-- a message carries again what another person was given, or what is in the pool once more
SELECT 'message_' || m.id || ' to recipient_' || m.recipient_id || ' carries code_'
    || m.repeated_code_id || ' of message_' || m.repeats_id
FROM message m
WHERE (m.repeats_id IS NOT NULL OR m.repeated_code_id IS NOT NULL) AND NOT EXISTS (
    FROM (SELECT id, code_id, recipient_id FROM message
        UNION ALL SELECT id, code_id, recipient_id FROM claims) g WHERE g.id = m.repeats_id AND g.code_id = m.repeated_code_id
        AND g.recipient_id = m.recipient_id AND m.code_id IS NULL
        AND (g.id NOT IN (SELECT message_id FROM code_return)
            OR m.id IN (SELECT message_id FROM sending))
)
