-- which redemptions a reference names: how many of them stand, the latest of these, and the latest
-- that was reversed
SELECT count(*) FILTER (v.redemption_id IS NULL), max(r.id) FILTER (v.redemption_id IS NULL),
    max(r.id) FILTER (v.redemption_id IS NOT NULL)
FROM (
    SELECT id FROM redemption
    WHERE reference = $reference
        AND ($caller::VARCHAR IS NULL OR caller = $caller AND recorded_at >= $since)
        AND ($coupon_id::BIGINT IS NULL OR coupon_id = $coupon_id
            AND code_id IS NOT DISTINCT FROM $code_id::BIGINT)
) r
LEFT JOIN reversal v ON v.redemption_id = r.id
