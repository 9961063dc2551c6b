-- some of the codes that a batch brought, those that are still there
SELECT coalesce(value, key) FROM code
WHERE id BETWEEN $first AND $last AND id IN (SELECT unnest($ids::BIGINT[])) AND batch_id = $batch_id
ORDER BY id
