-- write the messages of a delivery, each with its code, in the order of labels and targets
INSERT INTO message (id, delivery_id, coupon_id, recipient_id, address, code_id, label, external_id, email, phone, first_name, last_name, attributes, created_at)
SELECT $first_id + p.place, $id, $coupon_id, p.recipient_id, p.address, c.code_id, nullif(c.label, ''),
    p.external_id, p.email, p.phone, p.first_name, p.last_name, p.attributes, $now
FROM (SELECT *, row_number() OVER (/* by label */) - 1 AS place FROM prepared WHERE reason IS NULL) p
LEFT JOIN taken c ON c.place = p.place
ORDER BY p.place
