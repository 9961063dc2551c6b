-- Files that come in (uploads) and go out (exports).

CREATE SEQUENCE upload_id;
CREATE SEQUENCE export_id;

-- A file that was or will be sent to be imported. How much of it is here, the file itself tells.
CREATE TABLE upload (
    id          BIGINT    NOT NULL,
    file_name   VARCHAR   NOT NULL,
    -- The size and SHA-256 that were announced, until the file is complete; from then on what they are.
    byte_count  BIGINT,
    checksum    VARCHAR,
    is_complete BOOLEAN   NOT NULL,
    created_at  TIMESTAMP NOT NULL,
    -- From when on nobody needs the file.
    expires_at  TIMESTAMP NOT NULL
);

CREATE TABLE export (
    id          BIGINT    NOT NULL,
    kind        VARCHAR   NOT NULL CHECK (kind IN ('CODES', 'MESSAGES', 'REDEMPTIONS')),
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

-- The file that an import reads, which several imports may share.
ALTER TABLE import ADD COLUMN upload_id BIGINT;
-- How the file turned out to be written, what is odd about it and what was changed, as JSON.
ALTER TABLE import ADD COLUMN findings VARCHAR;
-- When undoImport took the codes out again.
ALTER TABLE import ADD COLUMN undone_at TIMESTAMP;

-- The files of imports that wait were kept under the numbers of their imports.
UPDATE import SET status = 'FAILED', finished_at = now()::TIMESTAMP, failure = 'The server was updated before the import was done. Nothing was imported: import the file again.'
WHERE status IN ('QUEUED', 'RUNNING');
