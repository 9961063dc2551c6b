-- how many codes are voided by a batch
SELECT count(*) FROM code_void WHERE batch_id = $batch_id
