-- change the forms to send of the spooled recipients
UPDATE recipient SET email_address = s.email_address, phone_address = s.phone_address
FROM read_csv($path, auto_detect = false, header = false, delim = '\t', quote = '"', escape = '"',
    nullstr = '\N', allow_quoted_nulls = false, max_line_size = 1048576,
    columns = {'id': 'BIGINT', 'email_address': 'VARCHAR', 'phone_address': 'VARCHAR'}) s
WHERE s.id = recipient.id
