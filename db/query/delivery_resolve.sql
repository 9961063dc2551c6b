-- count a message as sent of which nobody knew what became of it
UPDATE delivery SET sent_count = sent_count + 1, unknown_count = unknown_count - 1 WHERE id = $id
