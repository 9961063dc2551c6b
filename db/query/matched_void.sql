-- void the matched codes that were not rejected
INSERT INTO code_void (code_id, voided_at, reason) SELECT code_id, $now, $reason FROM matched m ANTI JOIN rejected r ON r.line = m.line
