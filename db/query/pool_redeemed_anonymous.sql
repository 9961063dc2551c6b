-- how often the codes of anonymous coupons are redeemed
SELECT coupon_id, count(*) FROM redemption r ANTI JOIN reversal v ON v.redemption_id = r.id
WHERE code_id IS NULL GROUP BY coupon_id
