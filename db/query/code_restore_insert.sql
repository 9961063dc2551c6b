-- keep what batches did to the codes in the temporary table unused, before void_take_back takes it
-- back
INSERT INTO code_restore (code_id, voided_at, reason, batch_id, restored_at, restored_by)
SELECT code_id, voided_at, reason, batch_id, $now, $restored_by FROM code_void
WHERE batch_id IN (SELECT unnest($batches::BIGINT[])) AND code_id IN (FROM unused)
