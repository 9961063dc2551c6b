-- add a coupon
INSERT INTO coupon (id, label, code, code_key, type, starts_at, ends_at, redemption_limit,
    requires_assignment, low_stock_threshold,
    low_stock_share, timezone, metadata, archived_at, created_at, updated_at)
VALUES ($id, $label, $code, $code_key, $type, $starts_at, $ends_at, $redemption_limit,
    $requires_assignment, $low_stock_threshold,
    $low_stock_share, $timezone, $metadata, $archived_at, $created_at, $updated_at)
