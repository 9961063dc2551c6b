-- Coupons, recipients and deliveries are exported too. A check cannot change in place.

CREATE TABLE export_of_any_kind (
    id          BIGINT    NOT NULL,
    kind        VARCHAR   NOT NULL CHECK (kind IN ('CODES', 'MESSAGES', 'REDEMPTIONS', 'COUPONS', 'RECIPIENTS', 'DELIVERIES', 'SQL', 'BACKUP')),
    status      VARCHAR   NOT NULL CHECK (status IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED')),
    format      VARCHAR   NOT NULL,
    -- What was asked for, as JSON.
    request     VARCHAR   NOT NULL,
    row_count   BIGINT    NOT NULL,
    byte_count  BIGINT    NOT NULL,
    failure     VARCHAR,
    created_at  TIMESTAMP NOT NULL,
    started_at  TIMESTAMP,
    finished_at TIMESTAMP,
    -- From when on the file is gone.
    expires_at  TIMESTAMP
);
INSERT INTO export_of_any_kind FROM export;
DROP TABLE export;
ALTER TABLE export_of_any_kind RENAME TO export;
