-- the first codes that messages to each recipient hold
SELECT recipient_id, min(code_id, $limit) FROM message
WHERE code_id > $after AND recipient_id IN (SELECT unnest($ids::BIGINT[]))
    AND id NOT IN (SELECT message_id FROM code_return)
GROUP BY recipient_id
