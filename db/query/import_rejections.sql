-- the first rejections of each import; cursors are lines
SELECT import_id, min(line, $limit) FROM rejection WHERE list_contains($ids::BIGINT[], import_id) AND line > $after GROUP BY import_id
