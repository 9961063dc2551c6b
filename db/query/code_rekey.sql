-- give the spooled codes their keys: the narrow one where they would be one code with another
UPDATE code SET key = s.wanted, value = CASE WHEN s.value <> s.wanted THEN s.value END
FROM (
    SELECT r.id, r.value, CASE WHEN k.key IS NULL THEN r.key ELSE r.narrow_key END AS wanted
    FROM read_csv($path, auto_detect = false, header = false, delim = '\t', quote = '"',
        escape = '"',
        nullstr = '\N', allow_quoted_nulls = false, max_line_size = 1048576,
        columns = {'is_coupon': 'BOOLEAN', 'id': 'BIGINT', 'key': 'VARCHAR',
        'narrow_key': 'VARCHAR', 'value': 'VARCHAR'}) r
    LEFT JOIN (SELECT DISTINCT key FROM code_collision) k ON k.key = r.key
    WHERE NOT r.is_coupon
) s
WHERE s.id = code.id AND code.id BETWEEN $first AND $last AND code.key <> s.wanted
