-- P6: a code is unique in the whole database, the codes of coupons included
SELECT any_value(key) FROM (SELECT key FROM code UNION ALL SELECT code_key FROM coupon)
GROUP BY hash(key), key HAVING count(*) > 1
