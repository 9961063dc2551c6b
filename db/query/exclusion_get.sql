-- recipients that were left out, by delivery and place
SELECT e.delivery_id, e.recipient_id, e.reason
FROM exclusion e
JOIN (SELECT unnest($parents::BIGINT[]) AS delivery_id, unnest($seqs::BIGINT[]) AS seq) wanted
    ON wanted.delivery_id = e.delivery_id AND wanted.seq = e.seq
ORDER BY e.delivery_id, e.seq
