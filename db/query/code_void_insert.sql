-- void codes
INSERT INTO code_void (code_id, voided_at, reason, batch_id)
SELECT unnest($ids::BIGINT[]), $now, $reason, $batch_id
