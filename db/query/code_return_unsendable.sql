-- of codes that messages hold or carry again, those whose delivery is being sent right now, or
-- whose message is in an open batch
SELECT DISTINCT coalesce(m.code_id, m.repeated_code_id)
FROM message m JOIN delivery d ON d.id = m.delivery_id
WHERE (m.code_id BETWEEN $first AND $last AND m.code_id IN (SELECT unnest($ids::BIGINT[]))
        OR m.repeated_code_id BETWEEN $first AND $last
            AND m.repeated_code_id IN (SELECT unnest($ids::BIGINT[])))
    AND (d.status = 'IN_PROGRESS' OR m.id IN (
        SELECT a.message_id
        FROM (SELECT * FROM sending_attempt WHERE list_contains($batches::BIGINT[], batch_id)) a
        ANTI JOIN sending_refusal r ON r.message_id = a.message_id AND r.number = a.number
    ))
    AND m.id NOT IN (SELECT message_id FROM code_return)
