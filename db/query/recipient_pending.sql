-- how many messages are still to be sent to those of some recipients who must not be contacted
SELECT count(*) FROM message
WHERE recipient_id IN (SELECT id FROM recipient
    WHERE NOT is_contactable AND id IN (SELECT unnest($ids::BIGINT[])))
    AND delivery_id IN (SELECT id FROM delivery
        WHERE status IN ('SCHEDULED', 'IN_PROGRESS', 'PAUSED'))
    AND id NOT IN (SELECT message_id FROM sending WHERE delivery_id IN (SELECT id FROM delivery
        WHERE status IN ('SCHEDULED', 'IN_PROGRESS', 'PAUSED')))
