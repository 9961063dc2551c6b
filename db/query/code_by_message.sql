-- the numbers of codes that a recipient has, or that were assigned in a period
SELECT code_id AS id FROM holding
WHERE code_id IS NOT NULL AND ($recipient_id::BIGINT IS NULL OR recipient_id = $recipient_id)
    AND ($assigned_from::TIMESTAMP IS NULL OR created_at >= $assigned_from)
        AND ($assigned_to::TIMESTAMP IS NULL OR created_at < $assigned_to)
    AND id NOT IN (SELECT message_id FROM code_return)
