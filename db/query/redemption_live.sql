-- a redemption to reverse: its code, its coupon, and whether it was reversed
SELECT coupon_id, code_id, EXISTS (SELECT 1 FROM reversal WHERE redemption_id = $id) FROM redemption WHERE id = $id
