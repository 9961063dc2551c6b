-- of staged codes whose key may exist already (the spooled candidates), reject those that do: in
-- this coupon or in another one
INSERT INTO rejected
SELECT s.line, CASE WHEN c.coupon_id = coalesce($coupon_id::BIGINT, s.coupon_id)
    THEN 'ALREADY_EXISTS' ELSE 'EXISTS_ELSEWHERE' END, coalesce(s.value, s.key)
FROM read_csv($path, auto_detect = false, header = false, delim = '\t',
    columns = {'line': 'BIGINT', 'code_id': 'BIGINT'}) candidate
JOIN code c ON c.id = candidate.code_id
JOIN stage s ON s.line = candidate.line AND s.key = c.key
ANTI JOIN unused u ON u.id = c.id
