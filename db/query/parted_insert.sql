-- the targets of a part become those of a delivery, in their order
INSERT INTO target (delivery_id, seq, recipient_id)
SELECT $id, row_number() OVER (ORDER BY t.seq), t.recipient_id
FROM target t JOIN parted p ON p.recipient_id = t.recipient_id
WHERE t.delivery_id = $from AND p.part = $part
ORDER BY t.seq
