-- how many codes are voided by some batches
SELECT count(*) FROM code_void WHERE batch_id IN (SELECT unnest($batches::BIGINT[]))
