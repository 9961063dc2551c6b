-- the soonest deliveries of each coupon that will need codes, and that hold none yet
SELECT coupon_id, id, contact_at,
    least(target_count, coalesce(nullif(message_limit, 0), target_count)) FROM delivery
WHERE status IN ('EDITING', 'READY') AND contact_at > $now AND target_count > 0
    AND coupon_id IN (SELECT unnest($ids::BIGINT[]))
    AND id NOT IN (SELECT delivery_id FROM hold WHERE until > $now)
QUALIFY row_number() OVER (PARTITION BY coupon_id ORDER BY contact_at, id) <= $limit
ORDER BY coupon_id, contact_at, id
