-- the staged redemptions that were not rejected, with the numbers that they get
CREATE OR REPLACE TEMP TABLE recording AS
SELECT $first_id + row_number() OVER (ORDER BY s.line) - 1 AS id, s.*
FROM stage s ANTI JOIN rejected r ON r.line = s.line
ORDER BY s.line
