-- P1: a recipient gets at most one message of a delivery
SELECT 'recipient_' || recipient_id || ' in delivery_' || delivery_id FROM message
GROUP BY delivery_id, recipient_id HAVING count(*) > 1
