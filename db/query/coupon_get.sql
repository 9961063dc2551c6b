-- coupons by number; all when there are no numbers
SELECT id, label, code, code_key, type, starts_at, ends_at, redemption_limit, requires_assignment,
    low_stock_threshold, low_stock_share,
    timezone, metadata, archived_at, created_at, updated_at
FROM coupon
WHERE $ids::BIGINT[] IS NULL OR list_contains($ids::BIGINT[], id)
