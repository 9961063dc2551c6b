-- add the staged targets that were not rejected, in the order of the file
INSERT INTO target (delivery_id, seq, recipient_id)
SELECT $id, $seq + row_number() OVER (ORDER BY s.line), s.recipient_id FROM stage s
ANTI JOIN rejected r ON r.line = s.line ORDER BY s.line
