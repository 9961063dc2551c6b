-- the messages of a delivery that were handed over and are pending all the same, each with its
-- attempts in their order
SELECT a.message_id, a.number, a.batch_id, a.batch_size, r.message_id IS NULL,
    coalesce(r.may_be_sent, true), coalesce(r.repeats_batch, true), r.retry_at,
    coalesce(r.is_counted, false), a.batch_id IN (
        SELECT x.batch_id FROM sending_attempt x
        LEFT JOIN sending_refusal f ON f.message_id = x.message_id AND f.number = x.number
        WHERE x.delivery_id = $id AND (
            NOT f.repeats_batch
            OR f.message_id IS NULL AND x.message_id IN (SELECT message_id FROM sending
                WHERE delivery_id = $id AND outcome = 'SENT')
        )
    )
FROM (
    SELECT * FROM sending_attempt
    WHERE delivery_id = $id
        AND message_id NOT IN (SELECT message_id FROM sending WHERE delivery_id = $id)
) a
LEFT JOIN (SELECT * FROM sending_refusal WHERE delivery_id = $id) r ON r.message_id = a.message_id
    AND r.number = a.number
ORDER BY a.message_id, a.number
