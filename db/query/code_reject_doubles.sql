-- of staged codes with the same key reject all but the first
INSERT INTO rejected
SELECT s.line, 'DUPLICATE_IN_FILE', coalesce(s.value, s.key)
FROM stage s JOIN (SELECT key, min(line) AS first_line FROM stage GROUP BY key
    HAVING count(*) > 1) d ON d.key = s.key
ANTI JOIN rejected r ON r.line = s.line
WHERE s.line > d.first_line
