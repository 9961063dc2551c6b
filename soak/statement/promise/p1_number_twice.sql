-- two rows have one number
SELECT what || '_' || id || ' is there ' || count(*) || ' times' FROM (
    SELECT 'coupon' AS what, id FROM coupon UNION ALL SELECT 'delivery', id FROM delivery
    UNION ALL SELECT 'import', id FROM import
    UNION ALL SELECT 'export', id FROM export UNION ALL SELECT 'upload', id FROM upload
        UNION ALL SELECT 'key', id FROM api_key
    UNION ALL SELECT 'alert', id FROM alert UNION ALL SELECT 'recipient', id FROM recipient
        UNION ALL SELECT 'code', id FROM code
    UNION ALL SELECT 'batch', id FROM code_batch UNION ALL SELECT 'message', id FROM message
        UNION ALL SELECT 'message', id FROM claims
        UNION ALL SELECT 'redemption', id FROM redemptions
    UNION ALL SELECT 'audit', id FROM audits
) GROUP BY what, id HAVING count(*) > 1
