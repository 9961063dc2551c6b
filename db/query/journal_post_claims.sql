-- post claims of the journal
INSERT INTO posted_claim SELECT * EXCLUDE (is_journaled) FROM claim WHERE is_journaled
