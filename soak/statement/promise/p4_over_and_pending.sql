-- a delivery is over, and a message of it is not
SELECT 'message_' || m.id || ' of delivery_' || d.id || ', which is ' || d.status FROM message m JOIN delivery d ON d.id = m.delivery_id
WHERE d.status IN ('FINISHED', 'STOPPED', 'FAILED') AND NOT EXISTS (FROM sending s WHERE s.message_id = m.id)
