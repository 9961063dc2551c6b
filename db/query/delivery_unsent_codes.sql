-- the codes of a delivery's messages that never reached the sender, packed
SELECT string_agg(code_id, ' ') FROM message
WHERE delivery_id = $id AND code_id IS NOT NULL AND id NOT IN (SELECT message_id FROM sending WHERE delivery_id = $id)
    AND id NOT IN (SELECT message_id FROM code_return WHERE delivery_id = $id)
GROUP BY code_id // 4096
