-- the redemptions of codes, and of the own codes of coupons, that were recorded since a number was
-- next
SELECT coupon_id, code_id, redeemed_at, reference FROM redemption
WHERE id >= $first_id AND (code_id IN (SELECT unnest($ids::BIGINT[])) OR code_id IS NULL
    AND coupon_id IN (SELECT unnest($coupons::BIGINT[])))
