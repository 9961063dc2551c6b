-- how many messages there are to each recipient
SELECT recipient_id, count(*) FROM message
WHERE recipient_id IN (SELECT unnest($ids::BIGINT[]))
GROUP BY recipient_id
