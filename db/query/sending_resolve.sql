-- a message of which nobody knew what became of it was handed over once more, and taken
UPDATE sending SET outcome = 'SENT', settled_at = $now, failure = NULL
WHERE message_id = $id AND outcome = 'UNKNOWN'
