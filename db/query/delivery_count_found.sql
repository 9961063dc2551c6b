-- how many deliveries delivery_page finds on all pages
SELECT count(*) FROM delivery
WHERE ($status::VARCHAR[] IS NULL OR list_contains($status::VARCHAR[], status))
    AND ($coupon_id::BIGINT IS NULL OR coupon_id = $coupon_id)
    AND ($search::VARCHAR IS NULL OR contains(lower(label), $search))
    AND ($channel::VARCHAR IS NULL OR channel = $channel)
    AND ($from::TIMESTAMP IS NULL OR created_at >= $from)
    AND ($to::TIMESTAMP IS NULL OR created_at < $to)
