-- erase the customers of redemptions; what was redeemed, when and for how much stays
UPDATE posted_redemption SET customer = NULL WHERE id IN (SELECT id FROM erased_redemption)
