-- how many messages with some codes are still to be sent
WITH open AS (SELECT id FROM delivery WHERE status IN ('SCHEDULED', 'IN_PROGRESS', 'PAUSED'))
SELECT count(*) FROM message
WHERE (code_id BETWEEN $first AND $last AND code_id IN (SELECT unnest($ids::BIGINT[]))
        OR repeated_code_id BETWEEN $first AND $last
            AND repeated_code_id IN (SELECT unnest($ids::BIGINT[])))
    AND delivery_id IN (FROM open)
    AND id NOT IN (SELECT message_id FROM code_return)
        AND id NOT IN (SELECT message_id FROM sending WHERE delivery_id IN (FROM open))
