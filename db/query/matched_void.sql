-- void the matched codes that were not refused
INSERT INTO code_void (code_id, voided_at, reason) SELECT code_id, $now, $reason FROM matched m ANTI JOIN refused r ON r.line = m.line
