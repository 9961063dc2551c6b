-- the codes of a delivery's messages that never reached the sender, packed. What may have reached
-- it keeps its code
SELECT string_agg(code_id, ' ') FROM message
WHERE delivery_id = $id AND code_id IS NOT NULL
    AND id NOT IN (SELECT message_id FROM sending WHERE delivery_id = $id)
    AND id NOT IN (SELECT message_id FROM code_return WHERE delivery_id = $id)
    AND id NOT IN (
        SELECT a.message_id FROM (SELECT * FROM sending_attempt WHERE delivery_id = $id) a
        LEFT JOIN (SELECT * FROM sending_refusal WHERE delivery_id = $id) f
            ON f.message_id = a.message_id AND f.number = a.number
        WHERE f.message_id IS NULL OR f.may_be_sent
    )
GROUP BY code_id // 4096
