-- when redemptions were reversed, by number
SELECT redemption_id, reversed_at FROM reversal WHERE redemption_id BETWEEN $first AND $last
