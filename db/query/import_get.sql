-- imports by number
SELECT id, kind, mode, status, format, is_dry_run, coupon_id, delivery_id, file_name, byte_count, checksum, on_rejection, options, label, timezone,
    rows_read, rows_imported, rows_rejected, failure, created_at, started_at, finished_at
FROM import
WHERE id IN (SELECT unnest($ids::BIGINT[]))
