-- add recipients to a delivery's targets, without those that are in it
INSERT INTO target (delivery_id, seq, recipient_id)
SELECT $id, $seq + row_number() OVER (ORDER BY r.id), r.id
FROM recipient r
WHERE r.id IN (SELECT id FROM chosen)
    AND r.id NOT IN (SELECT recipient_id FROM target WHERE delivery_id = $id)
ORDER BY r.id
