-- P4: a delivery that is over has no pending message, but for those that a sender is busy with when
-- it is stopped
SELECT 'delivery_' || d.id FROM delivery d
LEFT JOIN (
    SELECT a.delivery_id, count(DISTINCT a.message_id) AS in_flight
    FROM (SELECT * FROM sending_attempt
        WHERE delivery_id IN (SELECT id FROM delivery WHERE status = 'STOPPED')) a
    ANTI JOIN sending_refusal r ON r.message_id = a.message_id AND r.number = a.number
    ANTI JOIN sending s ON s.message_id = a.message_id
    GROUP BY a.delivery_id
) f ON f.delivery_id = d.id
WHERE d.status IN ('FINISHED', 'STOPPED', 'FAILED')
    AND d.sent_count + d.failed_count + d.canceled_count + d.unknown_count
        + coalesce(f.in_flight, 0) < d.message_count
