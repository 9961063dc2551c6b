-- P5: every row of an imported file is accounted for
SELECT 'import_' || i.id FROM import i
LEFT JOIN (SELECT import_id, count(*) AS rejected, count(DISTINCT line) AS lines FROM rejection GROUP BY import_id) r ON r.import_id = i.id
WHERE (i.status = 'SUCCEEDED' AND i.rows_read <> i.rows_imported + i.rows_rejected) OR i.rows_rejected <> coalesce(r.rejected, 0) OR coalesce(r.rejected, 0) <> coalesce(r.lines, 0)
