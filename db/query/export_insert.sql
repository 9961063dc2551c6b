-- queue an export
INSERT INTO export (id, kind, status, format, request, row_count, byte_count, created_at)
VALUES ($id, $kind, 'QUEUED', $format, $request, 0, 0, $now)
