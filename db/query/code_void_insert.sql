-- void codes
INSERT INTO code_void (code_id, at, reason) SELECT unnest($ids::BIGINT[]), $now, $reason
