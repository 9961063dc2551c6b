-- how many messages of each delivery stand in one of the states; without states all
SELECT m.delivery_id, count(*) FROM message m LEFT JOIN sending s ON s.message_id = m.id
WHERE m.delivery_id IN (SELECT unnest($ids::BIGINT[]))
    AND ($status::VARCHAR[] IS NULL
        OR list_contains($status::VARCHAR[], coalesce(s.outcome, 'PENDING')))
    AND ($reason::VARCHAR[] IS NULL OR list_contains($reason::VARCHAR[], s.reason))
    AND ($outcome::VARCHAR[] IS NULL OR m.id IN (
        SELECT message_id FROM message_outcome WHERE delivery_id IN (SELECT unnest($ids::BIGINT[]))
            AND list_contains($outcome::VARCHAR[], outcome)
    ))
GROUP BY m.delivery_id
