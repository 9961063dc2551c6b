-- what is needed to render messages and to judge whether they may leave: all of a delivery's after
-- one that are pending, or those named ($id 0: of any delivery)
SELECT m.id, m.recipient_id, m.address, m.code_id, m.repeated_code_id, coalesce(c.value, c.key), c.label, m.external_id,
    m.email, m.phone, m.first_name, m.last_name, m.attributes,
    m.id IN (SELECT message_id FROM code_return WHERE message_id BETWEEN $first AND $last)
        OR m.repeats_id IS NOT NULL AND m.repeats_id IN (SELECT message_id FROM code_return
            WHERE message_id IN (SELECT repeats_id FROM message WHERE id BETWEEN $first AND $last)),
    m.recipient_id IN (SELECT id FROM recipient WHERE erased_at IS NOT NULL),
    m.recipient_id IN (SELECT id FROM recipient WHERE NOT is_contactable),
    m.id IN (
        SELECT x.id FROM message x JOIN delivery d ON d.id = x.delivery_id
        JOIN quarantine q ON q.channel = d.channel
            AND q.address_key = key_of_address(d.channel, x.address)
        WHERE x.id BETWEEN $first AND $last AND q.lifted_at IS NULL
            AND (q.reason = 'COMPLAINT' OR NOT coalesce(d.ignore_quarantine, false))
    )
FROM message m LEFT JOIN code c ON c.id = coalesce(m.code_id, m.repeated_code_id)
WHERE m.id BETWEEN $first AND $last AND ($id = 0 OR m.delivery_id = $id)
    AND ($ids::BIGINT[] IS NOT NULL
        OR m.id NOT IN (SELECT message_id FROM sending WHERE message_id BETWEEN $first AND $last))
    AND ($ids::BIGINT[] IS NULL OR list_contains($ids::BIGINT[], m.id))
ORDER BY m.id
