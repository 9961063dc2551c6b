-- stage the spooled recipients
CREATE OR REPLACE TEMP TABLE stage AS
SELECT line, external_id, email, email_address, phone, phone_address, first_name, last_name,
    attributes, removed, is_contactable, given
FROM read_csv($path, auto_detect = false, header = false, delim = '\t', quote = '"', escape = '"',
    nullstr = '\N', allow_quoted_nulls = false, max_line_size = 1048576,
    columns = {'line': 'BIGINT', 'external_id': 'VARCHAR', 'email': 'VARCHAR',
    'email_address': 'VARCHAR', 'phone': 'VARCHAR', 'phone_address': 'VARCHAR',
    'first_name': 'VARCHAR', 'last_name': 'VARCHAR',
        'attributes': 'VARCHAR', 'removed': 'VARCHAR', 'is_contactable': 'BOOLEAN',
        'given': 'UTINYINT'})
