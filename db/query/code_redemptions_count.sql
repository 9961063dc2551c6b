-- how many redemptions each code has
SELECT code_id, count(*) FROM redemption
WHERE code_id BETWEEN $first AND $last AND code_id IN (SELECT unnest($ids::BIGINT[]))
GROUP BY code_id
