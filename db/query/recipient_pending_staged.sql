-- how many messages are still to be sent to those of the staged recipients who must not be
-- contacted
WITH open AS (SELECT id FROM delivery WHERE status IN ('SCHEDULED', 'IN_PROGRESS', 'PAUSED'))
SELECT count(*) FROM message
WHERE delivery_id IN (FROM open)
    AND id NOT IN (SELECT message_id FROM sending WHERE delivery_id IN (FROM open))
    AND recipient_id IN (
        SELECT r.id FROM (FROM stage ANTI JOIN rejected ON rejected.line = stage.line) s
        JOIN recipient r ON r.external_id = s.external_id
        WHERE NOT CASE WHEN s.given & 32 > 0 THEN s.is_contactable ELSE r.is_contactable END
    )
