-- count a batch of a delivery, and how far its outbox file is valid
UPDATE delivery SET sent_count = sent_count + $sent, failed_count = failed_count + $failed, outbox_size = $outbox_size WHERE id = $id
