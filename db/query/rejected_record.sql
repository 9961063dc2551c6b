-- keep the rejected rows with their import
INSERT INTO rejection (import_id, line, reason, value) SELECT $import_id, line, reason, value
FROM rejected ORDER BY line
