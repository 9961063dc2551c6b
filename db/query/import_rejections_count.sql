-- how many rejections each import has
SELECT import_id, count(*) FROM rejection WHERE list_contains($ids::BIGINT[], import_id) GROUP BY import_id
