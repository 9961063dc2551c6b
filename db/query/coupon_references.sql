-- what still refers to a coupon: deliveries, messages, redemptions
SELECT (SELECT count(*) FROM delivery WHERE coupon_id = $id),
    EXISTS (SELECT 1 FROM message WHERE coupon_id = $id)
        OR EXISTS (SELECT 1 FROM redemption WHERE coupon_id = $id)
