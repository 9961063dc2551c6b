-- how many rows of each import were rejected for which reason
SELECT import_id, reason, count(*) FROM rejection WHERE list_contains($ids::BIGINT[], import_id) GROUP BY import_id, reason ORDER BY count(*) DESC, reason
