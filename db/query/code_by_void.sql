-- the numbers of codes that a batch voided
SELECT code_id AS id FROM code_void WHERE batch_id = $voiding
