-- the first rejections of each import; cursors are lines
SELECT import_id, min(line, $limit) FROM rejection
WHERE import_id IN (SELECT unnest($ids::BIGINT[])) AND line > $after GROUP BY import_id
