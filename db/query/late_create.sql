-- the spooled redemptions that others recorded meanwhile
CREATE OR REPLACE TEMP TABLE late AS
FROM read_csv($path, auto_detect = false, header = false, delim = '\t', quote = '"', escape = '"',
    nullstr = '\N', allow_quoted_nulls = false,
    columns = {'coupon_id': 'BIGINT', 'code_id': 'BIGINT', 'redeemed_at': 'TIMESTAMP',
    'reference': 'VARCHAR'})
