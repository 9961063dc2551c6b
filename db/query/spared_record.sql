-- keep the rows whose codes were to take the place of codes that stay with their import
INSERT INTO rejection (import_id, line, reason, value)
SELECT $import_id, s.line, 'ALREADY_EXISTS', coalesce(s.value, s.key)
FROM stage s
ANTI JOIN rejected r ON r.line = s.line
WHERE s.key IN (SELECT unnest($keys::VARCHAR[]))
ORDER BY s.line
