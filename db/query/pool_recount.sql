-- where the codes of each coupon and label stand, recounted from the rows
SELECT c.coupon_id, coalesce(c.label, '') AS label, count(*),
    count(*) FILTER (r.code_id IS NOT NULL),
    count(*) FILTER (r.code_id IS NULL AND v.code_id IS NOT NULL),
    count(*) FILTER (r.code_id IS NULL AND v.code_id IS NULL AND m.code_id IS NOT NULL)
FROM code c
LEFT JOIN (SELECT DISTINCT code_id FROM redemption WHERE code_id IS NOT NULL
    AND id NOT IN (SELECT redemption_id FROM reversal)) r ON r.code_id = c.id
LEFT JOIN (SELECT DISTINCT code_id FROM code_void) v ON v.code_id = c.id
LEFT JOIN (SELECT DISTINCT code_id FROM holding WHERE code_id IS NOT NULL
    AND id NOT IN (SELECT message_id FROM code_return)) m ON m.code_id = c.id
GROUP BY ALL
