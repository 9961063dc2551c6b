-- P4: a message has one outcome
SELECT 'message_' || message_id FROM sending GROUP BY message_id HAVING count(*) > 1
