-- the staged redemptions that were not refused, with the numbers that they get
CREATE OR REPLACE TEMP TABLE recording AS
SELECT $first_id + row_number() OVER (ORDER BY s.line) - 1 AS id, s.*
FROM stage s ANTI JOIN refused r ON r.line = s.line
ORDER BY s.line
