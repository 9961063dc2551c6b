-- recipients that were left out, by place
SELECT seq, recipient_id, reason FROM exclusion WHERE delivery_id = $id AND list_contains($seqs::BIGINT[], seq) ORDER BY seq
