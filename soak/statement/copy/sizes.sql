-- how many rows each table has, but for those that a restore writes to
SELECT 'alert', count(*) FROM alert UNION ALL SELECT 'api_key', count(*) FROM api_key
UNION ALL SELECT 'code', count(*) FROM code
UNION ALL SELECT 'code_batch', count(*) FROM code_batch UNION ALL SELECT 'code_return', count(*)
    FROM code_return
UNION ALL SELECT 'code_void', count(*) FROM code_void UNION ALL SELECT 'coupon', count(*)
    FROM coupon UNION ALL SELECT 'delivery', count(*) FROM delivery
UNION ALL SELECT 'import', count(*) FROM import UNION ALL SELECT 'export', count(*) FROM export
    UNION ALL SELECT 'message', count(*) FROM message
UNION ALL SELECT 'audits', count(*) FROM audits UNION ALL SELECT 'recipient', count(*)
    FROM recipient UNION ALL SELECT 'redemptions', count(*) FROM redemptions
UNION ALL SELECT 'rejection', count(*) FROM rejection UNION ALL SELECT 'reversal', count(*)
    FROM reversal UNION ALL SELECT 'sending', count(*) FROM sending
UNION ALL SELECT 'target', count(*) FROM target
