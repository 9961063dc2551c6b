CREATE TABLE alert (
    id BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    subject_id BIGINT NOT NULL,
    due_at TIMESTAMP NOT NULL,
    text VARCHAR NOT NULL,
    began_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    is_untold BOOLEAN NOT NULL,
    attempts INTEGER NOT NULL,
    tell_at TIMESTAMP NOT NULL
);
CREATE TABLE api_key (
    id BIGINT NOT NULL,
    label VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    requests_per_second INTEGER,
    digest VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP,
    last_used_at TIMESTAMP,
    revoked_at TIMESTAMP,
    CHECK(("role" IN ('ADMIN', 'MARKETER', 'ANALYST', 'REDEEMER', 'REPORTER'))),
    PRIMARY KEY(id)
);
CREATE TABLE bounce (
    message_id BIGINT,
    delivery_id BIGINT,
    channel VARCHAR NOT NULL,
    address_key VARCHAR,
    kind VARCHAR NOT NULL,
    happened_at TIMESTAMP NOT NULL,
    reason VARCHAR,
    import_id BIGINT,
    recorded_at TIMESTAMP NOT NULL,
    CHECK((kind IN ('SOFT', 'DELIVERED', 'HARD', 'COMPLAINT')))
);
CREATE TABLE code (
    id BIGINT NOT NULL,
    batch_id BIGINT NOT NULL,
    coupon_id BIGINT NOT NULL,
    label VARCHAR,
    key VARCHAR NOT NULL,
    value VARCHAR
);
CREATE TABLE code_batch (
    id BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    request VARCHAR,
    failure VARCHAR,
    coupon_id BIGINT NOT NULL,
    import_id BIGINT,
    first_id BIGINT NOT NULL,
    last_id BIGINT NOT NULL,
    count BIGINT NOT NULL,
    created_by VARCHAR,
    created_at TIMESTAMP NOT NULL,
    undone_at TIMESTAMP,
    CHECK((kind IN ('ADDED', 'GENERATED', 'IMPORTED', 'VOIDED'))),
    CHECK((status IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED')))
);
CREATE TABLE code_collision (
    key VARCHAR NOT NULL,
    narrow_key VARCHAR NOT NULL
);
CREATE TABLE code_restore (
    code_id BIGINT NOT NULL,
    voided_at TIMESTAMP NOT NULL,
    reason VARCHAR NOT NULL,
    batch_id BIGINT NOT NULL,
    restored_at TIMESTAMP NOT NULL,
    restored_by VARCHAR
);
CREATE TABLE code_return (
    code_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    delivery_id BIGINT NOT NULL,
    returned_at TIMESTAMP NOT NULL,
    reason VARCHAR NOT NULL
);
CREATE TABLE code_void (
    code_id BIGINT NOT NULL,
    voided_at TIMESTAMP NOT NULL,
    reason VARCHAR NOT NULL,
    batch_id BIGINT
);
CREATE TABLE coupon (
    id BIGINT NOT NULL,
    label VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    code_key VARCHAR NOT NULL,
    type VARCHAR NOT NULL,
    starts_at TIMESTAMP NOT NULL,
    ends_at TIMESTAMP,
    redemption_limit INTEGER,
    requires_assignment BOOLEAN NOT NULL,
    low_stock_threshold INTEGER,
    low_stock_share DOUBLE,
    timezone VARCHAR NOT NULL,
    metadata VARCHAR NOT NULL,
    archived_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CHECK(("type" IN ('ANONYMOUS', 'INDIVIDUAL'))),
    CHECK((ends_at > starts_at)),
    CHECK((redemption_limit > 0))
);
CREATE TABLE delivery (
    id BIGINT NOT NULL,
    label VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,
    coupon_id BIGINT,
    subject VARCHAR,
    body VARCHAR NOT NULL,
    message_limit INTEGER,
    match_label_to VARCHAR,
    contact_at TIMESTAMP,
    status VARCHAR NOT NULL,
    target_count BIGINT NOT NULL,
    analysis VARCHAR,
    first_message_id BIGINT,
    message_count BIGINT NOT NULL,
    sent_count BIGINT NOT NULL,
    failed_count BIGINT NOT NULL,
    canceled_count BIGINT NOT NULL,
    outbox_size BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    confirmed_at TIMESTAMP,
    finished_at TIMESTAMP,
    send_rate DOUBLE,
    allow_duplicate_addresses BOOLEAN,
    ignore_quarantine BOOLEAN,
    unknown_count BIGINT,
    halt_cause VARCHAR,
    halted_at TIMESTAMP,
    reuse VARCHAR,
    CHECK((channel IN ('EMAIL', 'SMS', 'PUSH', 'DIRECT_MAIL'))),
    CHECK((message_limit >= 0)),
    CHECK((status IN ('EDITING', 'READY', 'SCHEDULED', 'IN_PROGRESS', 'PAUSED', 'FINISHED', 'STOPPED', 'FAILED')))
);
CREATE TABLE delivery_log (
    delivery_id BIGINT NOT NULL,
    round INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    logged_at TIMESTAMP NOT NULL,
    level VARCHAR NOT NULL,
    text VARCHAR NOT NULL
);
CREATE TABLE exclusion (
    delivery_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    recipient_id BIGINT NOT NULL,
    reason VARCHAR NOT NULL
);
CREATE TABLE export (
    id BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    format VARCHAR NOT NULL,
    request VARCHAR NOT NULL,
    row_count BIGINT NOT NULL,
    byte_count BIGINT NOT NULL,
    failure VARCHAR,
    created_at TIMESTAMP NOT NULL,
    started_at TIMESTAMP,
    finished_at TIMESTAMP,
    expires_at TIMESTAMP,
    CHECK((kind IN ('CODES', 'MESSAGES', 'REDEMPTIONS', 'COUPONS', 'RECIPIENTS', 'DELIVERIES', 'SQL', 'BACKUP'))),
    CHECK((status IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED')))
);
CREATE TABLE hold (
    delivery_id BIGINT NOT NULL,
    coupon_id BIGINT NOT NULL,
    label VARCHAR,
    count BIGINT NOT NULL,
    until TIMESTAMP NOT NULL,
    CHECK((count > 0))
);
CREATE TABLE idempotency (
    caller VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    digest VARCHAR NOT NULL,
    object VARCHAR NOT NULL,
    detail VARCHAR,
    created_at TIMESTAMP NOT NULL
);
CREATE TABLE import (
    id BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    mode VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    format VARCHAR NOT NULL,
    is_dry_run BOOLEAN NOT NULL,
    coupon_id BIGINT,
    delivery_id BIGINT,
    file_name VARCHAR NOT NULL,
    byte_count BIGINT NOT NULL,
    checksum VARCHAR NOT NULL,
    on_rejection VARCHAR NOT NULL,
    options VARCHAR NOT NULL,
    label VARCHAR,
    timezone VARCHAR NOT NULL,
    rows_read BIGINT NOT NULL,
    rows_imported BIGINT NOT NULL,
    rows_rejected BIGINT NOT NULL,
    failure VARCHAR,
    created_at TIMESTAMP NOT NULL,
    started_at TIMESTAMP,
    finished_at TIMESTAMP,
    upload_id BIGINT,
    findings VARCHAR,
    undone_at TIMESTAMP,
    channel VARCHAR,
    bounce_kind VARCHAR,
    created_by VARCHAR,
    CHECK((status IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED')))
);
CREATE TABLE journal (
    written_at TIMESTAMP NOT NULL,
    record VARCHAR NOT NULL
);
CREATE TABLE list_member (
    list_id BIGINT NOT NULL,
    recipient_id BIGINT NOT NULL
);
CREATE TABLE message (
    id BIGINT NOT NULL,
    delivery_id BIGINT NOT NULL,
    coupon_id BIGINT,
    recipient_id BIGINT NOT NULL,
    address VARCHAR NOT NULL,
    code_id BIGINT,
    label VARCHAR,
    external_id VARCHAR,
    email VARCHAR,
    phone VARCHAR,
    first_name VARCHAR,
    last_name VARCHAR,
    attributes VARCHAR,
    created_at TIMESTAMP NOT NULL,
    repeats_id BIGINT,
    repeated_code_id BIGINT
);
CREATE TABLE migration (
    name VARCHAR NOT NULL,
    checksum VARCHAR NOT NULL,
    applied_at TIMESTAMP NOT NULL
);
CREATE TABLE number (
    kind VARCHAR NOT NULL,
    given BIGINT NOT NULL
);
CREATE TABLE posted_audit_entry (
    id BIGINT NOT NULL,
    at_time TIMESTAMP NOT NULL,
    caller VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    address VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    input VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    errors VARCHAR NOT NULL,
    request_id VARCHAR NOT NULL
);
CREATE TABLE posted_redemption (
    id BIGINT NOT NULL,
    coupon_id BIGINT NOT NULL,
    code_id BIGINT,
    delivery_id BIGINT,
    channel VARCHAR,
    label VARCHAR,
    assigned_at TIMESTAMP,
    redeemed_at TIMESTAMP NOT NULL,
    redeemed_on DATE NOT NULL,
    source VARCHAR NOT NULL,
    reference VARCHAR,
    amount DECIMAL(18,4),
    currency VARCHAR,
    idempotency_key VARCHAR,
    anomalies VARCHAR,
    import_id BIGINT,
    recorded_at TIMESTAMP NOT NULL,
    caller VARCHAR,
    store VARCHAR,
    customer VARCHAR,
    CHECK(("source" IN ('API', 'IMPORT')))
);
CREATE TABLE quarantine (
    id BIGINT NOT NULL,
    channel VARCHAR NOT NULL,
    address_key VARCHAR NOT NULL,
    address VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    bounce_count BIGINT NOT NULL,
    last_reason VARCHAR,
    since TIMESTAMP NOT NULL,
    lifted_at TIMESTAMP,
    CHECK((reason IN ('SOFT', 'HARD', 'COMPLAINT')))
);
CREATE TABLE recipient (
    id BIGINT NOT NULL,
    external_id VARCHAR NOT NULL,
    email VARCHAR,
    phone VARCHAR,
    first_name VARCHAR,
    last_name VARCHAR,
    attributes VARCHAR NOT NULL,
    is_contactable BOOLEAN NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    erased_at TIMESTAMP,
    email_address VARCHAR,
    phone_address VARCHAR
);
CREATE TABLE recipient_list (
    id BIGINT NOT NULL,
    label VARCHAR NOT NULL,
    filter VARCHAR,
    created_at TIMESTAMP NOT NULL
);
CREATE TABLE rejection (
    import_id BIGINT NOT NULL,
    line BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    value VARCHAR
);
CREATE TABLE reversal (
    redemption_id BIGINT NOT NULL,
    reversed_at TIMESTAMP NOT NULL,
    reason VARCHAR
);
CREATE TABLE sending (
    message_id BIGINT NOT NULL,
    delivery_id BIGINT NOT NULL,
    outcome VARCHAR NOT NULL,
    settled_at TIMESTAMP NOT NULL,
    failure VARCHAR,
    reason VARCHAR,
    CHECK(((outcome = 'CANCELED') = (reason IS NOT NULL))),
    CHECK((outcome IN ('SENT', 'FAILED', 'CANCELED', 'UNKNOWN')))
);
CREATE TABLE sending_attempt (
    message_id BIGINT NOT NULL,
    delivery_id BIGINT NOT NULL,
    number INTEGER NOT NULL,
    batch_id BIGINT NOT NULL,
    batch_size INTEGER NOT NULL,
    began_at TIMESTAMP NOT NULL
);
CREATE TABLE sending_refusal (
    message_id BIGINT NOT NULL,
    delivery_id BIGINT NOT NULL,
    number INTEGER NOT NULL,
    refused_at TIMESTAMP NOT NULL,
    reason VARCHAR NOT NULL,
    may_be_sent BOOLEAN NOT NULL,
    repeats_batch BOOLEAN NOT NULL,
    retry_at TIMESTAMP,
    is_counted BOOLEAN
);
CREATE TABLE setting (
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL
);
CREATE TABLE target (
    delivery_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    recipient_id BIGINT NOT NULL
);
CREATE TABLE upload (
    id BIGINT NOT NULL,
    file_name VARCHAR NOT NULL,
    byte_count BIGINT,
    checksum VARCHAR,
    is_complete BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE VIEW audit_entry;
CREATE VIEW message_outcome;
CREATE VIEW redemption;
