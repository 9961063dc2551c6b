-- deliveries by number
SELECT id, label, channel, coupon_id, subject, body, message_limit, match_label_to, contact_at,
    status, target_count, analysis,
    message_count, sent_count, failed_count, canceled_count, unknown_count, created_at,
    confirmed_at, finished_at,
    send_rate, allow_duplicate_addresses, ignore_quarantine, reuse
FROM delivery
WHERE id IN (SELECT unnest($ids::BIGINT[]))
