-- how many codes each recipient has, by messages and claims
SELECT recipient_id, count(*) FROM holding
WHERE code_id IS NOT NULL AND recipient_id IN (SELECT unnest($ids::BIGINT[]))
    AND id NOT IN (SELECT message_id FROM code_return)
GROUP BY recipient_id
