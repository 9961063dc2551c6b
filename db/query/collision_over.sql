-- how many collisions are over, because fewer than two of their codes are left
SELECT count(*) FROM (
    SELECT k.key FROM code_collision k
    LEFT JOIN (SELECT key FROM code UNION ALL SELECT code_key FROM coupon) c ON c.key = k.narrow_key
    GROUP BY k.key HAVING count(c.key) < 2
)
