-- imports by number, with how long their file is kept
SELECT i.id, kind, mode, status, format, is_dry_run, coupon_id, delivery_id, i.file_name,
    i.byte_count, i.checksum, on_rejection, options, label, timezone,
    rows_read, rows_imported, rows_rejected, failure, i.created_at, started_at, finished_at,
    upload_id, findings, undone_at, u.expires_at,
    channel, bounce_kind, created_by
FROM import i LEFT JOIN upload u ON u.id = i.upload_id
WHERE i.id IN (SELECT unnest($ids::BIGINT[]))
