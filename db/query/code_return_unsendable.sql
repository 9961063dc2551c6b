-- of codes that messages hold, those whose delivery is being sent right now
SELECT m.code_id
FROM message m JOIN delivery d ON d.id = m.delivery_id
WHERE m.code_id BETWEEN $first AND $last AND m.code_id IN (SELECT unnest($ids::BIGINT[])) AND d.status = 'IN_PROGRESS'
    AND m.id NOT IN (SELECT message_id FROM code_return)
