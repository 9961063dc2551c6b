-- give the spooled coupons' own codes their keys: the narrow one where they would be one code with
-- another
UPDATE coupon SET code_key = s.wanted
FROM (
    SELECT r.id, CASE WHEN k.key IS NULL THEN r.key ELSE r.narrow_key END AS wanted
    FROM read_csv($path, auto_detect = false, header = false, delim = '\t', quote = '"',
        escape = '"',
        nullstr = '\N', allow_quoted_nulls = false, max_line_size = 1048576,
        columns = {'is_coupon': 'BOOLEAN', 'id': 'BIGINT', 'key': 'VARCHAR',
        'narrow_key': 'VARCHAR', 'value': 'VARCHAR'}) r
    LEFT JOIN (SELECT DISTINCT key FROM code_collision) k ON k.key = r.key
    WHERE r.is_coupon
) s
WHERE s.id = coupon.id AND coupon.code_key <> s.wanted
