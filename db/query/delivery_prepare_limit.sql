-- leave out whom the message limit does not reach: at random, but the same for this delivery every
-- time
UPDATE prepared SET reason = 'MESSAGE_LIMIT'
WHERE reason IS NULL AND recipient_id NOT IN (
    SELECT recipient_id FROM prepared WHERE reason IS NULL
    ORDER BY md5_number($id || ':' || recipient_id), recipient_id
    LIMIT $limit
)
