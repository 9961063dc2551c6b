-- a code that was sent to one person was sent to another one as well
SELECT 'code_' || code_id || ' was sent to recipient_' || min(recipient_id) || ' and recipient_'
    || max(recipient_id)
FROM message WHERE id IN (SELECT message_id FROM sending WHERE outcome = 'SENT')
    AND code_id IS NOT NULL GROUP BY code_id HAVING min(recipient_id) < max(recipient_id)
