-- what still refers to a coupon: deliveries, messages, claims, redemptions
SELECT (SELECT count(*) FROM delivery WHERE coupon_id = $id),
    EXISTS (SELECT 1 FROM holding WHERE coupon_id = $id)
        OR EXISTS (SELECT 1 FROM redemption WHERE coupon_id = $id)
