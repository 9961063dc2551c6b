-- add a delivery
INSERT INTO delivery (id, label, channel, coupon_id, subject, body, message_limit, match_label_to,
    contact_at, status, target_count,
    message_count, sent_count, failed_count, canceled_count, outbox_size, created_at,
    send_rate, allow_duplicate_addresses, ignore_quarantine, reuse)
VALUES ($id, $label, $channel, $coupon_id, $subject, $body, $message_limit, $match_label_to,
    $contact_at, $status, 0, 0, 0, 0, 0, 0, $now,
    $send_rate, $allow_duplicate_addresses, $ignore_quarantine, $reuse)
