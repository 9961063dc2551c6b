-- batches of codes by number, and those of imports
SELECT id, kind, status, request, failure, coupon_id, import_id, count, created_by, created_at,
    undone_at FROM code_batch
WHERE id IN (SELECT unnest($ids::BIGINT[])) OR import_id IN (SELECT unnest($imports::BIGINT[]))
