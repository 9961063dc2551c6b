-- record a batch of codes
INSERT INTO code_batch (id, kind, coupon_id, import_id, first_id, last_id, count, created_by, created_at)
VALUES ($id, $kind, $coupon_id, $import_id, $first_id, $last_id, $count, $created_by, $now)
