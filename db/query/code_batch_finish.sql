-- a batch is made, or could not be
UPDATE code_batch SET status = $status, failure = $failure, first_id = $first_id,
    last_id = $last_id, count = $count, created_at = $now
WHERE id = $id AND status IN ('QUEUED', 'RUNNING')
