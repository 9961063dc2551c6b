-- the newest redemptions of each code
SELECT code_id, max(id, $limit) FROM redemption
WHERE code_id BETWEEN $first AND $last AND code_id IN (SELECT unnest($ids::BIGINT[]))
    AND ($after::BIGINT IS NULL OR id < $after)
GROUP BY code_id
