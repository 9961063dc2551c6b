-- how many messages with some codes are still to be sent
SELECT count(*) FROM message
WHERE code_id BETWEEN $first AND $last AND code_id IN (SELECT unnest($ids::BIGINT[]))
    AND id NOT IN (SELECT message_id FROM code_return) AND id NOT IN (SELECT message_id FROM sending)
