-- take back that a batch voided the codes in the temporary table unused
DELETE FROM code_void WHERE batch_id = $batch_id AND code_id IN (FROM unused)
