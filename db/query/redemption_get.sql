-- redemptions by number
SELECT id, coupon_id, code_id, redeemed_at, source, reference, amount::VARCHAR, currency, anomalies,
    store, customer
FROM redemption WHERE id BETWEEN $first AND $last
