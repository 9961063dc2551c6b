-- of staged recipients with the same external id reject all but the first
INSERT INTO rejected
SELECT s.line, 'DUPLICATE_IN_FILE', s.external_id
FROM stage s JOIN (SELECT external_id, min(line) AS first_line FROM stage GROUP BY external_id
    HAVING count(*) > 1) d ON d.external_id = s.external_id
WHERE s.line > d.first_line
