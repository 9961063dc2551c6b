-- how many rows of each import were rejected for which reason
SELECT import_id, reason, count(*) FROM rejection WHERE import_id IN (SELECT unnest($ids::BIGINT[]))
GROUP BY import_id, reason ORDER BY count(*) DESC, reason
