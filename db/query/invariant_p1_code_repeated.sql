-- P1: a message carries a code again only to the person whom another message gave it, and no
-- message that waits carries one that went back
SELECT 'message_' || m.id FROM message m LEFT JOIN message g ON g.id = m.repeats_id
WHERE (m.repeats_id IS NOT NULL OR m.repeated_code_id IS NOT NULL) AND (
    g.recipient_id IS DISTINCT FROM m.recipient_id OR g.coupon_id IS DISTINCT FROM m.coupon_id
    OR g.code_id IS DISTINCT FROM m.repeated_code_id OR m.code_id IS NOT NULL
    OR m.repeats_id IN (SELECT message_id FROM code_return)
        AND m.id NOT IN (SELECT message_id FROM sending)
)
