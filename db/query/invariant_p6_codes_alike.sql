-- codes that are compared as they are written, because only what nobody sees or types tells them
-- apart; voiding all but one ends it
SELECT string_agg(name, ' and ' ORDER BY name) FROM (
    SELECT k.key,
        coalesce(c.value, c.key) || ' (code_' || c.id || ' of coupon_' || c.coupon_id || ')' AS name
    FROM code_collision k JOIN code c ON c.key = k.narrow_key
    ANTI JOIN code_void v ON v.code_id = c.id
    UNION ALL
    SELECT k.key, p.code || ' (coupon_' || p.id || ')' FROM code_collision k
    JOIN coupon p ON p.code_key = k.narrow_key
) GROUP BY key HAVING count(*) > 1
