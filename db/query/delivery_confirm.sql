-- record that a delivery was confirmed
UPDATE delivery SET status = $status, first_message_id = $first_message_id,
    message_count = $message_count, confirmed_at = $now WHERE id = $id
