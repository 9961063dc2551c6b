-- refuse staged redemptions of codes that nobody has
INSERT INTO refused SELECT line, 'UNKNOWN_CODE', raw FROM stage WHERE coupon_id IS NULL
