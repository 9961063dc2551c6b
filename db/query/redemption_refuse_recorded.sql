-- refuse staged redemptions that were recorded before: the same code at the same time, or with the same reference
INSERT INTO refused
SELECT DISTINCT s.line, 'ALREADY_RECORDED', s.raw
FROM stage s JOIN redemption r ON r.coupon_id = s.coupon_id AND r.code_id IS NOT DISTINCT FROM s.code_id
    AND (r.reference = s.reference OR (s.code_id IS NOT NULL AND r.redeemed_at = s.redeemed_at))
WHERE s.coupon_id IS NOT NULL
