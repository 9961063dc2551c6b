-- Voidings that were taken back, which the history of a code tells.
CREATE TABLE code_restore (
    code_id     BIGINT    NOT NULL,
    -- What code_void had.
    voided_at   TIMESTAMP NOT NULL,
    reason      VARCHAR   NOT NULL,
    batch_id    BIGINT    NOT NULL,
    restored_at TIMESTAMP NOT NULL,
    -- What the audit log calls who asked for it. NULL: nobody knows.
    restored_by VARCHAR
);
