-- write the messages of a delivery as they are drafted; their codes follow one another, or there
-- are none
INSERT INTO message (id, delivery_id, coupon_id, recipient_id, address, code_id, label, external_id,
    email, phone, first_name, last_name, attributes, created_at)
SELECT $first_id + place, $id, $coupon_id, recipient_id, address, $first_code::BIGINT + place,
    nullif($label::VARCHAR, ''),
    external_id, email, phone, first_name, last_name, attributes, $now
FROM draft
