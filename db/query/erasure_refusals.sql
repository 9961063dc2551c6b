-- what a sender said of an attempt may name the recipient
UPDATE sending_refusal SET reason = $reason
WHERE message_id IN (SELECT id FROM message WHERE recipient_id IN (SELECT id FROM chosen))
