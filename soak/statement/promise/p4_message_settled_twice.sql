-- a message has two outcomes
SELECT 'message_' || message_id FROM sending GROUP BY message_id HAVING count(*) > 1
