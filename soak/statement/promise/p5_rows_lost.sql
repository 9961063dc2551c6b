-- rows of a file are not accounted for
SELECT 'import_' || i.id || ' read ' || rows_read || ', imported ' || rows_imported
    || ' and rejected ' || rows_rejected || ' rows; ' || r.total || ' lines are told'
FROM import i,
    LATERAL (SELECT count(DISTINCT line) AS total FROM rejection WHERE import_id = i.id) r
WHERE status = 'SUCCEEDED'
    AND (rows_read <> rows_imported + rows_rejected OR r.total <> rows_rejected)
