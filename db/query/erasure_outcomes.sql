-- what a sender said of a message may name the recipient
UPDATE sending SET failure = $reason
WHERE failure IS NOT NULL
    AND message_id IN (SELECT id FROM message WHERE recipient_id IN (SELECT id FROM chosen))
