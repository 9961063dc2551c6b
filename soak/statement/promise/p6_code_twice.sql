-- one value is the code of two
SELECT key || ' is there ' || count(*) || ' times' FROM (SELECT key FROM code
    UNION ALL SELECT code_key FROM coupon) GROUP BY key HAVING count(*) > 1
