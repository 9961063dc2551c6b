-- when codes were redeemed, without what was reversed
SELECT code_id, redeemed_at FROM redemption
WHERE id NOT IN (SELECT redemption_id FROM reversal) AND code_id BETWEEN $first AND $last
