-- the coupons of a list, for a file, oldest first
SELECT id AS coupon_id, code, label, type, type AS coupon_type, starts_at AS "startsAt",
    ends_at AS "endsAt", redemption_limit AS "redemptionLimit",
    requires_assignment AS "requiresAssignment", low_stock_threshold AS "lowStockThreshold",
    low_stock_share AS "lowStockShare",
    timezone, metadata, archived_at IS NOT NULL AS "isArchived"
FROM coupon
WHERE list_contains($ids::BIGINT[], id)
ORDER BY id
