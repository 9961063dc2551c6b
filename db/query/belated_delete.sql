-- take back the redemptions that others made impossible
DELETE FROM posted_redemption WHERE id BETWEEN (SELECT min(id) FROM belated) AND (SELECT max(id)
    FROM belated) AND id IN (SELECT id FROM belated)
