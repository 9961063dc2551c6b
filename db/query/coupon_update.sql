-- change a coupon
UPDATE coupon SET label = $label, code = $code, code_key = $code_key, starts_at = $starts_at,
    ends_at = $ends_at,
    redemption_limit = $redemption_limit, requires_assignment = $requires_assignment,
    low_stock_threshold = $low_stock_threshold,
    low_stock_share = $low_stock_share, timezone = $timezone, metadata = $metadata,
    archived_at = $archived_at, updated_at = $updated_at
WHERE id = $id
