-- how many batches of codes there are
SELECT count(*) FROM code_batch
WHERE ($kind::VARCHAR IS NULL OR kind = $kind)
    AND ($import_id::BIGINT IS NULL OR import_id = $import_id)
    AND ($status::VARCHAR[] IS NULL OR list_contains($status::VARCHAR[], status))
