-- two messages or claims gave one code, and neither gave it back
WITH given AS (SELECT id, code_id FROM message UNION ALL SELECT id, code_id FROM claims)
SELECT 'code_' || a.code_id || ' is in message_' || a.id || ' and message_' || b.id
FROM given a JOIN given b ON b.code_id = a.code_id AND b.id > a.id
WHERE NOT EXISTS (FROM code_return r WHERE r.message_id IN (a.id, b.id) AND r.code_id = a.code_id)
