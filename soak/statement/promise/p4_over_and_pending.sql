-- a delivery is over, and a message of it is not, though no sender is busy with it
SELECT 'message_' || m.id || ' of delivery_' || d.id || ', which is ' || d.status FROM message m
JOIN delivery d ON d.id = m.delivery_id
WHERE d.status IN ('FINISHED', 'STOPPED', 'FAILED')
    AND NOT EXISTS (FROM sending s WHERE s.message_id = m.id)
    AND NOT (d.status = 'STOPPED' AND EXISTS (
        FROM sending_attempt a WHERE a.message_id = m.id
            AND NOT EXISTS (FROM sending_refusal r
                WHERE r.message_id = a.message_id AND r.number = a.number)
    ))
