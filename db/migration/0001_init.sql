-- The tables of couponql. Small nouns (coupon, delivery, import) are rows that change in place; what
-- grows (codes, messages, redemptions) is written once, and what happens to it is appended as rows of
-- its own, so that nothing is lost and appends never conflict.
--
-- There is no index and no PRIMARY KEY: on big tables they cost five times the import, and after a
-- crash the engine's secondary indexes lose keys. The one writer keeps every uniqueness itself, in
-- memory and in the same transaction; integrityReport proves it from the rows.
--
-- Times are TIMESTAMP in UTC. JSON objects are kept as the text that came in.

CREATE SEQUENCE coupon_id;
CREATE SEQUENCE delivery_id;
CREATE SEQUENCE import_id;

-- What was chosen when the database was created and never changes.
CREATE TABLE setting (
    name  VARCHAR NOT NULL,
    value VARCHAR NOT NULL
);

CREATE TABLE coupon (
    id                  BIGINT    NOT NULL,
    label               VARCHAR   NOT NULL,
    code                VARCHAR   NOT NULL,
    code_key            VARCHAR   NOT NULL,
    type                VARCHAR   NOT NULL CHECK (type IN ('ANONYMOUS', 'INDIVIDUAL')),
    starts_at           TIMESTAMP NOT NULL,
    ends_at             TIMESTAMP CHECK (ends_at > starts_at),
    redemption_limit    INTEGER   CHECK (redemption_limit > 0),
    requires_assignment BOOLEAN   NOT NULL,
    low_stock_threshold INTEGER,
    low_stock_share     DOUBLE,
    timezone            VARCHAR   NOT NULL,
    metadata            VARCHAR   NOT NULL,
    archived_at         TIMESTAMP,
    created_at          TIMESTAMP NOT NULL,
    updated_at          TIMESTAMP NOT NULL
);

-- One addition of codes to a pool: by hand, generated, or by an import. Its rows outlive its codes, so
-- that the number of a deleted code is never given to another one.
CREATE TABLE code_batch (
    id         BIGINT    NOT NULL,
    coupon_id  BIGINT    NOT NULL,
    import_id  BIGINT,
    first_id   BIGINT    NOT NULL,
    last_id    BIGINT    NOT NULL,
    created_at TIMESTAMP NOT NULL
);

-- Codes never change. Inside a batch they lie in the order of label and key, so that the codes of a
-- label are one run of numbers.
CREATE TABLE code (
    id        BIGINT  NOT NULL,
    batch_id  BIGINT  NOT NULL,
    coupon_id BIGINT  NOT NULL,
    label     VARCHAR,
    key       VARCHAR NOT NULL,
    -- As it was given, where that differs from the key.
    value     VARCHAR
);

CREATE TABLE recipient (
    id             BIGINT    NOT NULL,
    external_id    VARCHAR   NOT NULL,
    email          VARCHAR,
    phone          VARCHAR,
    first_name     VARCHAR,
    last_name      VARCHAR,
    attributes     VARCHAR   NOT NULL,
    is_contactable BOOLEAN   NOT NULL,
    updated_at     TIMESTAMP NOT NULL
);

CREATE TABLE delivery (
    id              BIGINT    NOT NULL,
    label           VARCHAR   NOT NULL,
    channel         VARCHAR   NOT NULL CHECK (channel IN ('EMAIL', 'SMS', 'PUSH', 'DIRECT_MAIL')),
    coupon_id       BIGINT,
    subject         VARCHAR,
    body            VARCHAR   NOT NULL,
    message_limit   INTEGER   CHECK (message_limit >= 0),
    match_label_to  VARCHAR,
    contact_at      TIMESTAMP,
    status          VARCHAR   NOT NULL CHECK (status IN ('EDITING', 'READY', 'SCHEDULED', 'IN_PROGRESS', 'PAUSED', 'FINISHED', 'STOPPED', 'FAILED')),
    target_count    BIGINT    NOT NULL,
    -- The outcome of the last analysis, as JSON.
    analysis        VARCHAR,
    -- The messages of a confirmed delivery are one run of numbers.
    first_message_id BIGINT,
    message_count   BIGINT    NOT NULL,
    sent_count      BIGINT    NOT NULL,
    failed_count    BIGINT    NOT NULL,
    canceled_count  BIGINT    NOT NULL,
    -- Up to where the delivery's outbox file holds messages that are recorded as sent.
    outbox_size     BIGINT    NOT NULL,
    created_at      TIMESTAMP NOT NULL,
    confirmed_at    TIMESTAMP,
    finished_at     TIMESTAMP,
    CHECK (sent_count + failed_count + canceled_count <= message_count)
);

CREATE TABLE delivery_log (
    delivery_id BIGINT    NOT NULL,
    -- Lines of one analysis and of what followed it share a round.
    round       INTEGER   NOT NULL,
    seq         INTEGER   NOT NULL,
    logged_at TIMESTAMP NOT NULL,
    level       VARCHAR   NOT NULL,
    text        VARCHAR   NOT NULL
);

-- Codes kept, by number, for an analyzed delivery. label NULL: any.
CREATE TABLE hold (
    delivery_id BIGINT    NOT NULL,
    coupon_id   BIGINT    NOT NULL,
    label       VARCHAR,
    count       BIGINT    NOT NULL CHECK (count > 0),
    until       TIMESTAMP NOT NULL
);

CREATE TABLE target (
    delivery_id  BIGINT NOT NULL,
    -- The order in which targets were added: of two with one address the first wins.
    seq          BIGINT NOT NULL,
    recipient_id BIGINT NOT NULL
);

CREATE TABLE exclusion (
    delivery_id  BIGINT  NOT NULL,
    seq          BIGINT  NOT NULL,
    recipient_id BIGINT  NOT NULL,
    reason       VARCHAR NOT NULL
);

-- One message to one recipient, and with it the assignment of its code. What the templates say of the
-- recipient is copied, so that a message reads the same whenever it is rendered.
CREATE TABLE message (
    id           BIGINT    NOT NULL,
    delivery_id  BIGINT    NOT NULL,
    coupon_id    BIGINT,
    recipient_id BIGINT    NOT NULL,
    address      VARCHAR   NOT NULL,
    code_id      BIGINT,
    label        VARCHAR,
    external_id  VARCHAR,
    email        VARCHAR,
    phone        VARCHAR,
    first_name   VARCHAR,
    last_name    VARCHAR,
    attributes   VARCHAR,
    created_at   TIMESTAMP NOT NULL
);

-- What became of a message: at most one final row each.
CREATE TABLE sending (
    message_id  BIGINT    NOT NULL,
    delivery_id BIGINT    NOT NULL,
    outcome     VARCHAR   NOT NULL CHECK (outcome IN ('SENT', 'FAILED', 'CANCELED')),
    settled_at TIMESTAMP NOT NULL,
    failure     VARCHAR
);

-- The code of a message went back to the pool.
CREATE TABLE code_return (
    code_id     BIGINT    NOT NULL,
    message_id  BIGINT    NOT NULL,
    delivery_id BIGINT    NOT NULL,
    returned_at TIMESTAMP NOT NULL,
    reason      VARCHAR   NOT NULL
);

CREATE TABLE code_void (
    code_id BIGINT    NOT NULL,
    voided_at TIMESTAMP NOT NULL,
    reason  VARCHAR   NOT NULL
);

-- A redemption carries what statistics group by, as it stood when the code was redeemed: so that no
-- question about redemptions joins the big tables.
CREATE TABLE redemption (
    id              BIGINT         NOT NULL,
    coupon_id       BIGINT         NOT NULL,
    code_id         BIGINT,
    delivery_id     BIGINT,
    channel         VARCHAR,
    label           VARCHAR,
    assigned_at     TIMESTAMP,
    redeemed_at     TIMESTAMP      NOT NULL,
    redeemed_on     DATE           NOT NULL,
    source          VARCHAR        NOT NULL CHECK (source IN ('API', 'IMPORT')),
    reference       VARCHAR,
    amount          DECIMAL(18, 4),
    currency        VARCHAR,
    idempotency_key VARCHAR,
    anomalies       VARCHAR,
    import_id       BIGINT,
    recorded_at     TIMESTAMP      NOT NULL
);

CREATE TABLE reversal (
    redemption_id BIGINT    NOT NULL,
    reversed_at TIMESTAMP NOT NULL,
    reason        VARCHAR
);

CREATE TABLE import (
    id            BIGINT    NOT NULL,
    kind          VARCHAR   NOT NULL,
    mode          VARCHAR   NOT NULL,
    status        VARCHAR   NOT NULL CHECK (status IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED')),
    format        VARCHAR   NOT NULL,
    is_dry_run    BOOLEAN   NOT NULL,
    coupon_id     BIGINT,
    delivery_id   BIGINT,
    file_name     VARCHAR   NOT NULL,
    byte_count    BIGINT    NOT NULL,
    checksum      VARCHAR   NOT NULL,
    on_rejection  VARCHAR   NOT NULL,
    options       VARCHAR   NOT NULL,
    label         VARCHAR,
    timezone      VARCHAR   NOT NULL,
    rows_read     BIGINT    NOT NULL,
    rows_imported BIGINT    NOT NULL,
    rows_rejected BIGINT    NOT NULL,
    failure       VARCHAR,
    created_at    TIMESTAMP NOT NULL,
    started_at    TIMESTAMP,
    finished_at   TIMESTAMP
);

CREATE TABLE rejection (
    import_id BIGINT  NOT NULL,
    line      BIGINT  NOT NULL,
    reason    VARCHAR NOT NULL,
    value     VARCHAR
);
