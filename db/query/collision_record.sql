-- record what would be one code by the spooled keys: of codes that are not spooled, the key stays
-- as it is
INSERT INTO code_collision (key, narrow_key)
WITH spooled AS MATERIALIZED (
    FROM read_csv($path, auto_detect = false, header = false, delim = '\t', quote = '"',
        escape = '"',
        nullstr = '\N', allow_quoted_nulls = false, max_line_size = 1048576,
        columns = {'is_coupon': 'BOOLEAN', 'id': 'BIGINT', 'key': 'VARCHAR',
        'narrow_key': 'VARCHAR', 'value': 'VARCHAR'})
), member AS MATERIALIZED (
    SELECT key, narrow_key FROM spooled
    UNION ALL
    SELECT key, key FROM code
    WHERE key IN (SELECT key FROM spooled)
        AND id NOT IN (SELECT id FROM spooled WHERE NOT is_coupon)
    UNION ALL
    SELECT code_key, code_key FROM coupon
    WHERE code_key IN (SELECT key FROM spooled)
        AND id NOT IN (SELECT id FROM spooled WHERE is_coupon)
)
SELECT key, narrow_key FROM member
WHERE key IN (SELECT key FROM member GROUP BY key HAVING count(*) > 1)
