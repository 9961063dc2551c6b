-- add the rows that were refused when the file was read
INSERT INTO refused
SELECT line, reason, value
FROM read_csv($path, auto_detect = false, header = false, delim = '\t', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false,
    columns = {'line': 'BIGINT', 'reason': 'VARCHAR', 'value': 'VARCHAR'})
