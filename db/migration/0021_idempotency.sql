-- What the idempotency keys of creating mutations made. A redemption keeps its own key.
CREATE TABLE idempotency (
    -- What the audit log calls who asked. Keys of two callers are two keys.
    caller     VARCHAR   NOT NULL,
    key        VARCHAR   NOT NULL,
    -- The mutation, and the SHA-256 of its input in hexadecimal.
    action     VARCHAR   NOT NULL,
    digest     VARCHAR   NOT NULL,
    -- The id of what it made.
    object     VARCHAR   NOT NULL,
    -- What else was answered, as JSON.
    detail     VARCHAR,
    created_at TIMESTAMP NOT NULL
);
