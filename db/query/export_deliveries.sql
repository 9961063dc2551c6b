-- deliveries, each with how far it is, for a file, oldest first
SELECT 'delivery_' || d.id AS delivery, d.label, d.channel, p.code AS coupon, p.type AS coupon_type,
    d.status, d.subject, d.body,
    d.message_limit AS "messageLimit", d.match_label_to AS "matchLabelTo",
    d.contact_at AS "contactAt", d.target_count AS targets,
    d.message_count AS messages, d.sent_count AS sent, d.failed_count AS failed,
    d.canceled_count AS canceled,
    coalesce(d.unknown_count, 0) AS unknown, d.created_at AS "createdAt",
    d.confirmed_at AS "confirmedAt", d.finished_at AS "finishedAt"
FROM delivery d
LEFT JOIN coupon p ON p.id = d.coupon_id
WHERE ($status::VARCHAR[] IS NULL OR list_contains($status::VARCHAR[], d.status))
    AND ($coupon_id::BIGINT IS NULL OR d.coupon_id = $coupon_id)
ORDER BY d.id
