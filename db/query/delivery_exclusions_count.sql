-- how many recipients were left out of each delivery
SELECT delivery_id, count(*) FROM exclusion
WHERE delivery_id IN (SELECT unnest($ids::BIGINT[]))
    AND ($reason::VARCHAR[] IS NULL OR list_contains($reason::VARCHAR[], reason))
GROUP BY delivery_id
