-- the codes that messages hold, packed; by which delivery, and whether the message was sent
SELECT m.delivery_id, s.message_id IS NOT NULL, string_agg(m.code_id, ' ')
FROM message m
ANTI JOIN code_return r ON r.message_id = m.id
LEFT JOIN (SELECT message_id FROM sending WHERE outcome = 'SENT') s ON s.message_id = m.id
WHERE m.code_id IS NOT NULL
GROUP BY 1, 2, m.id // 4096
