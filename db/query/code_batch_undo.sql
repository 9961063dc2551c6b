-- a batch is undone; the first time counts
UPDATE code_batch SET undone_at = coalesce(undone_at, $now) WHERE id = $id
