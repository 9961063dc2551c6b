-- the redemptions of the codes of a page, those that were reversed among them
SELECT code_id, id, redeemed_at FROM redemption WHERE code_id BETWEEN $first AND $last
