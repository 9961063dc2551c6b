-- keep the rows that others made impossible with their import
INSERT INTO rejection (import_id, line, reason, value) SELECT $import_id, line, reason, raw
FROM belated ORDER BY line
