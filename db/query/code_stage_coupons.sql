-- stage the spooled codes of many coupons
CREATE OR REPLACE TEMP TABLE stage AS
SELECT line, key, value, label, coupon_id
FROM read_csv($path, auto_detect = false, header = false, delim = '\t', quote = '"', escape = '"',
    nullstr = '\N', allow_quoted_nulls = false,
    columns = {'coupon_id': 'BIGINT', 'line': 'BIGINT', 'key': 'VARCHAR', 'value': 'VARCHAR',
    'label': 'VARCHAR'})
