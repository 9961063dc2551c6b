-- take back that batches voided the codes in the temporary table unused
DELETE FROM code_void
WHERE batch_id IN (SELECT unnest($batches::BIGINT[])) AND code_id IN (FROM unused)
