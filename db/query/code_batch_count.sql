-- how many batches of codes there are
SELECT count(*) FROM code_batch
WHERE ($kind::VARCHAR IS NULL OR kind = $kind) AND ($import_id::BIGINT IS NULL OR import_id = $import_id)
