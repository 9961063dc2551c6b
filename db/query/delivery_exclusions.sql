-- the first recipients that were left out of each delivery
SELECT delivery_id, min(seq, $limit) FROM exclusion
WHERE list_contains($ids::BIGINT[], delivery_id) AND seq > $after AND ($reason::VARCHAR[] IS NULL OR list_contains($reason::VARCHAR[], reason))
GROUP BY delivery_id
