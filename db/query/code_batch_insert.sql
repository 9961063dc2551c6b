-- record a batch of codes
INSERT INTO code_batch (id, coupon_id, import_id, first_id, last_id, created_at) VALUES ($id, $coupon_id, $import_id, $first_id, $last_id, $now)
