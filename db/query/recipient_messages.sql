-- the newest messages to each recipient below $after
SELECT recipient_id, max(id, $limit) FROM message
WHERE recipient_id IN (SELECT unnest($ids::BIGINT[])) AND ($after::BIGINT IS NULL OR id < $after)
GROUP BY recipient_id
