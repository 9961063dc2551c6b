-- add the rows that were rejected when the file was read
INSERT INTO rejected
SELECT line, reason, value
FROM read_csv($path, auto_detect = false, header = false, delim = '\t', quote = '"', escape = '"',
    nullstr = '\N', allow_quoted_nulls = false,
    columns = {'line': 'BIGINT', 'reason': 'VARCHAR', 'value': 'VARCHAR'})
