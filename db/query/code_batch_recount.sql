-- some of the codes of new batches are about to be taken back, before these are committed
UPDATE code_batch SET count = code_batch.count - gone.count
FROM (
    SELECT batch_id, count(*) AS count FROM code
    WHERE id BETWEEN $first AND $last AND id IN (SELECT unnest($ids::BIGINT[])) GROUP BY batch_id
) gone
WHERE code_batch.id = gone.batch_id
