-- void the matched codes that were not rejected
INSERT INTO code_void (code_id, voided_at, reason, batch_id) SELECT code_id, $now, $reason, $batch_id FROM matched m ANTI JOIN rejected r ON r.line = m.line
