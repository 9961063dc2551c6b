-- two messages gave one code, and neither gave it back
SELECT 'code_' || a.code_id || ' is in message_' || a.id || ' and message_' || b.id
FROM message a JOIN message b ON b.code_id = a.code_id AND b.id > a.id
WHERE NOT EXISTS (FROM code_return r WHERE r.message_id IN (a.id, b.id) AND r.code_id = a.code_id)
