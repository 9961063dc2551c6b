-- a batch is undone, or all batches of an import; the first time counts
UPDATE code_batch SET undone_at = coalesce(undone_at, $now) WHERE id = $id OR import_id = $import_id
