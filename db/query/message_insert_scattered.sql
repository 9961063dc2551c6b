-- write the messages of a delivery as they are drafted, each with the code of its place. A join
-- keeps no order
INSERT INTO message (id, delivery_id, coupon_id, recipient_id, address, code_id, label, external_id,
    email, phone, first_name, last_name, attributes, created_at,
    repeats_id, repeated_code_id)
SELECT $first_id + m.place, $id, $coupon_id, m.recipient_id, m.address, c.code_id,
    nullif(c.label, ''),
    m.external_id, m.email, m.phone, m.first_name, m.last_name, m.attributes, $now,
    m.repeats_id, m.repeated_code_id
FROM draft m LEFT JOIN taken c ON c.place = m.place
ORDER BY m.place
