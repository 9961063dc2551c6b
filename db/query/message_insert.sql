-- write the messages of a delivery as they are drafted; their codes follow one another, or there
-- are none. Those that carry a code again come last
INSERT INTO message (id, delivery_id, coupon_id, recipient_id, address, code_id, label, external_id,
    email, phone, first_name, last_name, attributes, created_at,
    repeats_id, repeated_code_id)
SELECT $first_id + place, $id, $coupon_id, recipient_id, address, 
    CASE WHEN repeats_id IS NULL THEN $first_code::BIGINT + place END,
    CASE WHEN repeats_id IS NULL THEN nullif($label::VARCHAR, '') END,
    external_id, email, phone, first_name, last_name, attributes, $now,
    repeats_id, repeated_code_id
FROM draft
