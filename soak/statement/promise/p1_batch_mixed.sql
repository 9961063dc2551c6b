-- one number of a handed over batch stands for messages of two deliveries, or for more messages
-- than the batch had
SELECT 'batch ' || batch_id || ' of ' || max(batch_size) || ' messages has ' || count(*)
    || ', of delivery_' || min(delivery_id) || ' to delivery_' || max(delivery_id)
FROM (SELECT DISTINCT batch_id, batch_size, delivery_id, message_id FROM sending_attempt)
GROUP BY batch_id HAVING min(delivery_id) < max(delivery_id) OR count(*) > max(batch_size)
