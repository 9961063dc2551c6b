-- queue an import
INSERT INTO import (id, kind, mode, status, format, is_dry_run, coupon_id, delivery_id, upload_id,
    file_name, byte_count, checksum, on_rejection, options, label, timezone,
    rows_read, rows_imported, rows_rejected, created_at, channel, bounce_kind, created_by)
VALUES ($id, $kind, $mode, 'QUEUED', $format, $is_dry_run, $coupon_id, $delivery_id, $upload_id,
    $file_name, $byte_count, $checksum, $on_rejection, $options, $label, $timezone, 0, 0, 0, $now,
    $channel, $bounce_kind, $created_by)
