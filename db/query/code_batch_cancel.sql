-- call off a batch that waits or is being made; its codes never came
UPDATE code_batch SET status = 'CANCELED', created_at = $now
WHERE id = $id AND status IN ('QUEUED', 'RUNNING')
