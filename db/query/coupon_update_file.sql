-- make known coupons what the spooled ones are; code and type never change so
UPDATE coupon SET label = s.label, starts_at = s.starts_at, ends_at = s.ends_at,
    redemption_limit = s.redemption_limit,
    requires_assignment = s.requires_assignment, low_stock_threshold = s.low_stock_threshold,
    low_stock_share = s.low_stock_share,
    timezone = s.timezone, metadata = s.metadata, archived_at = s.archived_at,
    updated_at = s.updated_at
FROM read_csv($path, auto_detect = false, header = false, delim = '\t', quote = '"', escape = '"',
    nullstr = '\N', allow_quoted_nulls = false, max_line_size = 1048576,
    columns = {'id': 'BIGINT', 'label': 'VARCHAR', 'code': 'VARCHAR', 'code_key': 'VARCHAR',
    'type': 'VARCHAR', 'starts_at': 'TIMESTAMP', 'ends_at': 'TIMESTAMP',
        'redemption_limit': 'INTEGER', 'requires_assignment': 'BOOLEAN',
        'low_stock_threshold': 'INTEGER', 'low_stock_share': 'DOUBLE', 'timezone': 'VARCHAR',
        'metadata': 'VARCHAR', 'archived_at': 'TIMESTAMP', 'created_at': 'TIMESTAMP',
        'updated_at': 'TIMESTAMP'}) s
WHERE coupon.id = s.id
