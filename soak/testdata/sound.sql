INSERT INTO coupon (id, label, code, code_key, type, starts_at, redemption_limit,
    requires_assignment, timezone, metadata, created_at, updated_at)
VALUES (1, 'mk1x', 'SUMMER', 'SUMMER', 'INDIVIDUAL', '2020-01-01', 1, true, 'UTC', '{}',
    '2026-01-01', '2026-01-01');
INSERT INTO code_batch (id, kind, status, coupon_id, import_id, first_id, last_id, count,
    created_at)
VALUES (1, 'IMPORTED', 'SUCCEEDED', 1, 1, 1, 4, 4, '2026-01-01'),
    (2, 'ADDED', 'SUCCEEDED', 1, NULL, 5, 5, 1, '2026-01-01');
INSERT INTO code VALUES (1, 1, 1, NULL, 'F1', NULL), (2, 1, 1, NULL, 'F2', 'F2'),
    (3, 1, 1, NULL, 'F3', NULL), (4, 1, 1, NULL, 'F4', NULL), (5, 2, 1, NULL, 'D8-AAAA', NULL);
INSERT INTO import (id, kind, mode, status, format, is_dry_run, coupon_id, file_name, byte_count,
    checksum, on_rejection, options, timezone, rows_read, rows_imported, rows_rejected, created_at)
VALUES (1, 'CODES', 'ADD', 'SUCCEEDED', 'CSV', false, 1, 'mk4x', 30, '', 'SKIP_ROW', '{}', 'UTC', 5,
    4, 1, '2026-01-01');
INSERT INTO rejection VALUES (1, 6, 'DUPLICATE_IN_FILE', 'F1');
INSERT INTO recipient (id, external_id, email, phone, first_name, last_name, attributes,
    is_contactable, updated_at, erased_at) VALUES (1, 'zz1q', 'zz1q@x', NULL, 'zz1q', NULL, '{}',
    true, '2026-01-01', NULL), (2, 'b', 'b@x', NULL, NULL, NULL, '{}', true, '2026-01-01', NULL),
    (3, 'c', 'c@x', NULL, NULL, NULL, '{}', true, '2026-01-01', NULL),
    (4, 'erased-1', NULL, NULL, NULL, NULL, '{}', true, '2026-01-01', '2026-01-02');
INSERT INTO delivery (id, label, channel, coupon_id, body, status, target_count, message_count,
    sent_count, failed_count, canceled_count, unknown_count, outbox_size, created_at)
VALUES (1, 'mk2x', 'EMAIL', 1, 'x', 'FINISHED', 2, 2, 2, 0, 0, 0, 0, '2026-01-01'),
    (2, 'mk3x', 'EMAIL', 1, 'x', 'EDITING', 0, 0, 0, 0, 0, 0, 0, '2026-01-01');
INSERT INTO target VALUES (1, 1, 1), (1, 2, 2);
INSERT INTO message (id, delivery_id, coupon_id, recipient_id, address, code_id, created_at)
VALUES (1, 1, 1, 1, 'zz1q@x', 1, '2026-01-01'), (2, 1, 1, 2, 'b@x', 2, '2026-01-01');
INSERT INTO sending
VALUES (1, 1, 'SENT', '2026-01-01', NULL, NULL), (2, 1, 'SENT', '2026-01-01', NULL, NULL);
INSERT INTO sending_attempt VALUES (1, 1, 1, 7, 2, '2026-01-01'), (2, 1, 1, 7, 2, '2026-01-01');
INSERT INTO posted_redemption (id, coupon_id, code_id, redeemed_at, redeemed_on, source, reference,
    recorded_at)
VALUES (2, 1, 3, '2026-01-01', '2026-01-01', 'API', 'mk7x', '2026-01-01');
INSERT INTO reversal VALUES (2, '2026-01-02', NULL);
INSERT INTO code_void (code_id, voided_at, reason) VALUES (3, '2026-01-02', 'reversed');
INSERT INTO api_key (id, label, role, digest, created_at, revoked_at)
VALUES (1, 'mk5x', 'ADMIN', '', '2026-01-01', '2026-01-02');
INSERT INTO posted_audit_entry VALUES (1, '2026-01-01', 'key_1', 'ADMIN', '', 'MUTATION',
    'createCoupon', '{"label": "mk1x"}', 'DONE', '', ''),
    (2, '2026-01-01', 'key_1', 'ADMIN', '', 'MUTATION', 'createCoupon', '{"label": "mk9x"}',
    'REFUSED', '', '');
INSERT INTO journal VALUES ('2026-01-01', '{"redemptions": [{"id": 1, "coupon": 1, "code": 1, "reference": "mk6x"}], "auditEntries": [{"id": 3, "action": "redeemCode", "input": "{\"reference\": \"mk6x\"}", "outcome": "DONE"}]}');
