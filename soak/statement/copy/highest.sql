-- the highest number of each kind that a new object of it has to be above
SELECT 'coupon', coalesce(max(id), 0) FROM coupon UNION ALL SELECT 'delivery', coalesce(max(id), 0)
FROM delivery
UNION ALL SELECT 'import', coalesce(max(id), 0) FROM import
    UNION ALL SELECT 'upload', coalesce(max(id), 0) FROM upload
UNION ALL SELECT 'export', coalesce(max(id), 0) FROM export
    UNION ALL SELECT 'key', coalesce(max(id), 0) FROM api_key
UNION ALL SELECT 'recipient', coalesce(max(id), 0) FROM recipient
    UNION ALL SELECT 'code', coalesce(max(id), 0) FROM code
UNION ALL SELECT 'redemption', coalesce(max(id), 0) FROM redemptions
    UNION ALL SELECT 'message', coalesce(max(id), 0) FROM message
