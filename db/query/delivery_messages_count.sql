-- how many messages of each delivery stand in one of the states; without states all
SELECT m.delivery_id, count(*) FROM message m LEFT JOIN sending s ON s.message_id = m.id
WHERE m.delivery_id IN (SELECT unnest($ids::BIGINT[]))
    AND ($status::VARCHAR[] IS NULL OR list_contains($status::VARCHAR[], coalesce(s.outcome, 'PENDING')))
    AND ($reason::VARCHAR[] IS NULL OR list_contains($reason::VARCHAR[], s.reason))
GROUP BY m.delivery_id
