-- lists of recipients by number
SELECT id, label, filter, created_at FROM recipient_list WHERE id IN (SELECT unnest($ids::BIGINT[]))
