-- the newest redemptions of each code
SELECT code_id, max(id, $limit) FROM redemption
WHERE list_contains($ids::BIGINT[], code_id) AND ($after::BIGINT IS NULL OR id < $after)
GROUP BY code_id
