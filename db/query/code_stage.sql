-- stage the spooled codes
CREATE OR REPLACE TEMP TABLE stage AS
SELECT line, key, value, label, NULL::BIGINT AS coupon_id
FROM read_csv($path, auto_detect = false, header = false, delim = '\t', quote = '"', escape = '"',
    nullstr = '\N', allow_quoted_nulls = false,
    columns = {'line': 'BIGINT', 'key': 'VARCHAR', 'value': 'VARCHAR', 'label': 'VARCHAR'})
