-- erase the customers of redemptions; what was redeemed, when and for how much stays. The span of
-- the ids keeps from reading the others
UPDATE posted_redemption SET customer = NULL
WHERE id BETWEEN (SELECT min(id) FROM erased_redemption) AND (SELECT max(id) FROM erased_redemption)
    AND id IN (SELECT id FROM erased_redemption)
