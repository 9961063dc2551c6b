-- void codes
INSERT INTO code_void (code_id, voided_at, reason) SELECT unnest($ids::BIGINT[]), $now, $reason
