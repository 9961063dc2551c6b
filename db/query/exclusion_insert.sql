-- record whom the analysis left out
INSERT INTO exclusion (delivery_id, seq, recipient_id, reason)
SELECT $id, seq, recipient_id, reason FROM prepared WHERE reason IS NOT NULL ORDER BY seq
