-- rejections by import and line
SELECT r.import_id, r.line, r.reason, r.value
FROM rejection r
JOIN (SELECT unnest($parents::BIGINT[]) AS import_id, unnest($lines::BIGINT[]) AS line) wanted
    ON wanted.import_id = r.import_id AND wanted.line = r.line
ORDER BY r.import_id, r.line
