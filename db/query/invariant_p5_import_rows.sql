-- P5: every row of an imported file is accounted for
SELECT 'import_' || i.id FROM import i
-- Grouped twice: count(*) beside count(DISTINCT line) splits groups in two where a table has
-- several row groups (DuckDB 1.4.3).
LEFT JOIN (
    SELECT import_id, sum(times) AS rejected, count(*) AS lines
    FROM (SELECT import_id, line, count(*) AS times FROM rejection GROUP BY import_id, line)
    GROUP BY import_id
) r ON r.import_id = i.id
-- Only an import that has SUCCEEDED imported rows, and it held none back.
WHERE (i.status = 'SUCCEEDED' AND i.rows_read <> i.rows_imported + i.rows_rejected)
    OR (i.status <> 'SUCCEEDED' AND (i.rows_imported <> 0 OR i.rows_rejected > i.rows_read))
    OR i.rows_rejected <> coalesce(r.rejected, 0) OR coalesce(r.rejected, 0) <> coalesce(r.lines, 0)
