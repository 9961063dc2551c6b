-- post redemptions of the journal
INSERT INTO posted_redemption SELECT * EXCLUDE (is_journaled) FROM redemption WHERE is_journaled
