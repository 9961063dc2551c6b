-- change a delivery
UPDATE delivery SET label = $label, channel = $channel, coupon_id = $coupon_id, subject = $subject,
    body = $body, message_limit = $message_limit,
    match_label_to = $match_label_to, contact_at = $contact_at, status = $status,
    send_rate = $send_rate,
    allow_duplicate_addresses = $allow_duplicate_addresses, ignore_quarantine = $ignore_quarantine,
    reuse = $reuse
WHERE id = $id
