-- redemptions, by the reference that the client gave
SELECT reference, 'redemption_' || id, CASE WHEN id IN (SELECT redemption_id FROM reversal)
    THEN 'reversed' ELSE 'live' END FROM redemptions WHERE starts_with(reference, 'mk')
