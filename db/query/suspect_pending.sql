-- how many messages are still to be sent to the reported addresses that are in quarantine now
WITH open AS (
    SELECT id, channel, coalesce(ignore_quarantine, false) AS ignores FROM delivery
    WHERE status IN ('SCHEDULED', 'IN_PROGRESS', 'PAUSED')
)
SELECT count(*) FROM message m JOIN open d ON d.id = m.delivery_id
SEMI JOIN suspect q ON q.channel = d.channel AND (q.reason = 'COMPLAINT' OR NOT d.ignores)
    AND q.address_key = key_of_address(d.channel, m.address)
WHERE m.id NOT IN (SELECT message_id FROM sending WHERE delivery_id IN (SELECT id FROM open))
