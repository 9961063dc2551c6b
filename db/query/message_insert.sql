-- write the messages of a delivery, each with its code, in the order of labels and targets. What the templates use of the recipient is copied
INSERT INTO message (id, delivery_id, coupon_id, recipient_id, address, code_id, label, external_id, email, phone, first_name, last_name, attributes, created_at)
SELECT $first_id + p.place, $id, $coupon_id, p.recipient_id, p.address, c.code_id, nullif(c.label, ''),
    CASE WHEN $uses_external_id THEN r.external_id END, CASE WHEN $uses_email THEN r.email END, CASE WHEN $uses_phone THEN r.phone END,
    CASE WHEN $uses_first_name THEN r.first_name END, CASE WHEN $uses_last_name THEN r.last_name END,
    CASE WHEN $uses_attributes THEN r.attributes END, $now
FROM (SELECT recipient_id, address, row_number() OVER (ORDER BY label, seq) - 1 AS place FROM prepared WHERE reason IS NULL) p
JOIN recipient r ON r.id = p.recipient_id
LEFT JOIN taken c ON c.place = p.place
ORDER BY p.place
