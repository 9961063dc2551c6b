-- stage the spooled external ids
CREATE OR REPLACE TEMP TABLE stage AS
SELECT f.line, f.external_id, r.id AS recipient_id
FROM read_csv($path, auto_detect = false, header = false, delim = '\t', quote = '"', escape = '"',
    nullstr = '\N', allow_quoted_nulls = false,
    columns = {'line': 'BIGINT', 'external_id': 'VARCHAR'}) f
LEFT JOIN recipient r ON r.external_id = f.external_id
