-- the next rejected rows of an import behind a line
SELECT line, reason, value FROM rejection WHERE import_id = $import_id AND line > $after
ORDER BY line LIMIT $limit
