-- the batches that are not made yet, oldest first
SELECT id FROM code_batch WHERE status IN ('QUEUED', 'RUNNING') ORDER BY id
