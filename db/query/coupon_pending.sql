-- how many messages of a coupon are still to be sent
SELECT coalesce(sum(message_count - sent_count - failed_count - canceled_count - unknown_count),
    0)::BIGINT
FROM delivery WHERE coupon_id = $id AND status IN ('SCHEDULED', 'IN_PROGRESS', 'PAUSED')
