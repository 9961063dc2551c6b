-- which of a batch's messages are for recipients who were erased, or who objected
SELECT m.id, r.erased_at IS NOT NULL, NOT r.is_contactable
FROM message m JOIN recipient r ON r.id = m.recipient_id
WHERE m.id BETWEEN $first AND $last AND m.id IN (SELECT unnest($ids::BIGINT[])) AND (r.erased_at IS NOT NULL OR NOT r.is_contactable)
