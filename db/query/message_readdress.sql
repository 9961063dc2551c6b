-- bring the addresses of the spooled messages into the form that is sent to
UPDATE message SET address = s.address
FROM read_csv($path, auto_detect = false, header = false, delim = '\t', quote = '"', escape = '"',
    nullstr = '\N', allow_quoted_nulls = false, max_line_size = 1048576,
    columns = {'id': 'BIGINT', 'address': 'VARCHAR'}) s
WHERE s.id = message.id
