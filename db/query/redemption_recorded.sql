-- the codes of the redemptions that were just recorded, packed
SELECT coalesce(string_agg(code_id, ' '), ''), count(*) FROM redemption WHERE id >= $first_id AND code_id IS NOT NULL
