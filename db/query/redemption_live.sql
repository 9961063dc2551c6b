-- a redemption to reverse: its code, its coupon, whether it was reversed, and who recorded it when
SELECT coupon_id, code_id, EXISTS (SELECT 1 FROM reversal WHERE redemption_id = $id), caller,
    recorded_at FROM redemption WHERE id = $id
