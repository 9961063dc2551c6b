-- a batch begins to be made
UPDATE code_batch SET status = 'RUNNING' WHERE id = $id AND status IN ('QUEUED', 'RUNNING')
