-- the first recipients that were left out of each delivery
SELECT delivery_id, min(seq, $limit) FROM exclusion
WHERE delivery_id IN (SELECT unnest($ids::BIGINT[])) AND seq > $after
    AND ($reason::VARCHAR[] IS NULL OR list_contains($reason::VARCHAR[], reason))
GROUP BY delivery_id
