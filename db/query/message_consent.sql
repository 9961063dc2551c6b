-- which of a batch's messages are for recipients who were erased, or who objected, or to addresses
-- in quarantine
SELECT m.id, r.erased_at IS NOT NULL, NOT r.is_contactable, q.id IS NOT NULL
FROM message m JOIN recipient r ON r.id = m.recipient_id JOIN delivery d ON d.id = m.delivery_id
LEFT JOIN quarantine q ON q.channel = d.channel AND q.lifted_at IS NULL
    AND (q.reason = 'COMPLAINT' OR NOT coalesce(d.ignore_quarantine, false))
    AND q.address_key = key_of_address(d.channel, m.address)
WHERE m.id BETWEEN $first AND $last AND m.id IN (SELECT unnest($ids::BIGINT[]))
    AND (r.erased_at IS NOT NULL OR NOT r.is_contactable OR q.id IS NOT NULL)
