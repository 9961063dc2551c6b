-- the targets of a delivery become those of another one too, in their order
INSERT INTO target (delivery_id, seq, recipient_id)
SELECT $id, row_number() OVER (ORDER BY seq), recipient_id FROM target WHERE delivery_id = $from
ORDER BY seq
