-- how many redemptions each code has
SELECT code_id, count(*) FROM redemption WHERE list_contains($ids::BIGINT[], code_id) GROUP BY code_id
