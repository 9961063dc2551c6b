-- reject staged codes that are a coupon's own code
INSERT INTO rejected
SELECT s.line, CASE WHEN c.id = coalesce($coupon_id::BIGINT, s.coupon_id) THEN 'ALREADY_EXISTS'
    ELSE 'EXISTS_ELSEWHERE' END, coalesce(s.value, s.key)
FROM stage s JOIN coupon c ON c.code_key = s.key
