-- coupons, by their labels
SELECT label, 'coupon_' || id, CASE WHEN archived_at IS NULL THEN 'there' ELSE 'archived' END
FROM coupon
