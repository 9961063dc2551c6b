-- how many rejections each import has
SELECT import_id, count(*) FROM rejection WHERE import_id IN (SELECT unnest($ids::BIGINT[]))
GROUP BY import_id
