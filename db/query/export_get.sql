-- exports by number
SELECT id, kind, status, format, request, row_count, byte_count, failure, created_at, started_at,
    finished_at, expires_at FROM export
WHERE id IN (SELECT unnest($ids::BIGINT[]))
