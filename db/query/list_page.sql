-- the numbers of lists of recipients, newest first
SELECT id FROM recipient_list WHERE $after::BIGINT IS NULL OR id < $after
ORDER BY id DESC
LIMIT $limit
