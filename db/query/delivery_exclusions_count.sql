-- how many recipients were left out of each delivery
SELECT delivery_id, count(*) FROM exclusion
WHERE list_contains($ids::BIGINT[], delivery_id) AND ($reason::VARCHAR[] IS NULL OR list_contains($reason::VARCHAR[], reason))
GROUP BY delivery_id
