-- the codes that staged rows name, of the spooled candidates
CREATE OR REPLACE TEMP TABLE matched AS
SELECT s.line, c.id AS code_id, c.coupon_id, coalesce(s.value, s.key) AS raw
FROM read_csv($path, auto_detect = false, header = false, delim = '\t',
    columns = {'line': 'BIGINT', 'code_id': 'BIGINT'}) candidate
JOIN code c ON c.id = candidate.code_id
JOIN stage s ON s.line = candidate.line AND s.key = c.key
