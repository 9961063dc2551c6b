-- a code that was sent to one person was sent to another one as well
SELECT 'code_' || code || ' was sent to recipient_' || min(recipient_id) || ' and recipient_'
    || max(recipient_id)
FROM (SELECT *, coalesce(code_id, repeated_code_id) AS code FROM message)
WHERE id IN (SELECT message_id FROM sending WHERE outcome = 'SENT')
    AND code IS NOT NULL GROUP BY code HAVING min(recipient_id) < max(recipient_id)
