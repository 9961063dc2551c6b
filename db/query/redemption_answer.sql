-- the redemption that an idempotency key recorded, to compare a repeated request with
SELECT r.code_id, r.coupon_id, r.redeemed_at, r.reference, r.amount::VARCHAR, r.currency FROM redemption r WHERE r.id = $id
