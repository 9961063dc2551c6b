-- add the spooled coupons of a file
INSERT INTO coupon (id, label, code, code_key, type, starts_at, ends_at, redemption_limit,
    requires_assignment, low_stock_threshold,
    low_stock_share, timezone, metadata, archived_at, created_at, updated_at)
SELECT id, label, code, code_key, type, starts_at, ends_at, redemption_limit, requires_assignment,
    low_stock_threshold,
    low_stock_share, timezone, metadata, archived_at, created_at, updated_at
FROM read_csv($path, auto_detect = false, header = false, delim = '\t', quote = '"', escape = '"',
    nullstr = '\N', allow_quoted_nulls = false, max_line_size = 1048576,
    columns = {'id': 'BIGINT', 'label': 'VARCHAR', 'code': 'VARCHAR', 'code_key': 'VARCHAR',
    'type': 'VARCHAR', 'starts_at': 'TIMESTAMP', 'ends_at': 'TIMESTAMP',
        'redemption_limit': 'INTEGER', 'requires_assignment': 'BOOLEAN',
        'low_stock_threshold': 'INTEGER', 'low_stock_share': 'DOUBLE', 'timezone': 'VARCHAR',
        'metadata': 'VARCHAR', 'archived_at': 'TIMESTAMP', 'created_at': 'TIMESTAMP',
        'updated_at': 'TIMESTAMP'})
