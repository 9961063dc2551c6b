-- the coupons whose own code is not plain ASCII
SELECT id, code_key, code FROM coupon
WHERE strlen(code_key) <> length(code_key) OR strlen(code) <> length(code)
