-- the numbers of codes that were redeemed in a period
SELECT DISTINCT code_id AS id FROM redemption
WHERE code_id IS NOT NULL AND ($redeemed_from::TIMESTAMP IS NULL OR redeemed_at >= $redeemed_from)
    AND ($redeemed_to::TIMESTAMP IS NULL OR redeemed_at < $redeemed_to)
    AND id NOT IN (SELECT redemption_id FROM reversal)
