-- P1: the next number of each kind is above all that were given out
SELECT kind || ' ' || used FROM (
    SELECT 'coupon' AS kind, greatest((SELECT max(id) FROM coupon),
        (SELECT max(coupon_id) FROM code_batch), (SELECT max(coupon_id) FROM import)) AS used
    UNION ALL SELECT 'delivery',
        greatest((SELECT max(id) FROM delivery), (SELECT max(delivery_id) FROM import))
    UNION ALL SELECT 'import', (SELECT max(id) FROM import)
    UNION ALL SELECT 'upload',
        greatest((SELECT max(id) FROM upload), (SELECT max(upload_id) FROM import))
    UNION ALL SELECT 'export', (SELECT max(id) FROM export)
    UNION ALL SELECT 'sending_batch', (SELECT max(batch_id) FROM sending_attempt)
    UNION ALL SELECT 'alert', (SELECT max(id) FROM alert)
    UNION ALL SELECT 'api_key', (SELECT max(id) FROM api_key)
    UNION ALL SELECT 'list',
        greatest((SELECT max(id) FROM recipient_list), (SELECT max(list_id) FROM list_member))
) LEFT JOIN (SELECT kind, min(given) AS given, count(*) AS rows FROM number
    GROUP BY kind) USING (kind)
WHERE coalesce(given < used, false) OR rows IS DISTINCT FROM 1
