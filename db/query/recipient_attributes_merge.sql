-- make the attributes of the staged rows what they are to be: the engine would write each number
-- anew, 12.50 as 12.5
UPDATE stage SET attributes = m.attributes
FROM read_csv($path, auto_detect = false, header = false, delim = '\t', quote = '"', escape = '"',
    nullstr = '\N', allow_quoted_nulls = false, max_line_size = 1048576,
    columns = {'line': 'BIGINT', 'attributes': 'VARCHAR'}) m
WHERE m.line = stage.line
