-- the first codes that each recipient has, by messages and claims
SELECT recipient_id, min(code_id, $limit) FROM holding
WHERE code_id > $after AND recipient_id IN (SELECT unnest($ids::BIGINT[]))
    AND id NOT IN (SELECT message_id FROM code_return)
GROUP BY recipient_id
