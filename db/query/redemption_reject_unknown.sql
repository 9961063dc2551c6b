-- reject staged redemptions of codes that nobody has
INSERT INTO rejected SELECT line, 'UNKNOWN_CODE', raw FROM stage WHERE coupon_id IS NULL
