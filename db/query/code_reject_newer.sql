-- reject staged codes that are in a run which others added since the file was read
INSERT INTO rejected
SELECT s.line, CASE WHEN c.coupon_id = coalesce($coupon_id::BIGINT, s.coupon_id)
    THEN 'ALREADY_EXISTS' ELSE 'EXISTS_ELSEWHERE' END, coalesce(s.value, s.key)
FROM code c JOIN stage s ON s.key = c.key
ANTI JOIN rejected r ON r.line = s.line
ANTI JOIN unused u ON u.id = c.id
WHERE c.id BETWEEN $first_id AND $last_id
