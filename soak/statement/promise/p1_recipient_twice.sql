-- somebody gets two messages of one delivery
SELECT 'recipient_' || recipient_id || ' has ' || count(*) || ' messages of delivery_'
    || delivery_id FROM message GROUP BY recipient_id, delivery_id HAVING count(*) > 1
