-- the numbers of codes that messages to a recipient, or assigned in a period, hold
SELECT code_id AS id FROM message
WHERE code_id IS NOT NULL AND ($recipient_id::BIGINT IS NULL OR recipient_id = $recipient_id)
    AND ($assigned_from::TIMESTAMP IS NULL OR created_at >= $assigned_from)
        AND ($assigned_to::TIMESTAMP IS NULL OR created_at < $assigned_to)
    AND id NOT IN (SELECT message_id FROM code_return)
