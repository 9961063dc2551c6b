-- Who may use the server, and who did what.

CREATE SEQUENCE api_key_id;

CREATE TABLE api_key (
    id                  BIGINT    NOT NULL PRIMARY KEY,
    label               VARCHAR   NOT NULL,
    role                VARCHAR   NOT NULL CHECK (role IN ('ADMIN', 'MARKETER', 'ANALYST', 'REDEEMER')),
    -- NULL: as many as the server allows everybody.
    requests_per_second INTEGER,
    -- The SHA-256 of the token in hexadecimal; the token itself is not kept.
    digest              VARCHAR   NOT NULL,
    created_at          TIMESTAMP NOT NULL,
    expires_at          TIMESTAMP,
    last_used_at        TIMESTAMP,
    revoked_at          TIMESTAMP
);

-- Rows are only ever appended, in the order of their ids.
CREATE TABLE audit_entry (
    id         BIGINT    NOT NULL,
    at_time    TIMESTAMP NOT NULL,
    caller     VARCHAR   NOT NULL,
    role       VARCHAR   NOT NULL,
    -- Where the request came from.
    address    VARCHAR   NOT NULL,
    kind       VARCHAR   NOT NULL,
    action     VARCHAR   NOT NULL,
    -- What was given, as a JSON object.
    input      VARCHAR   NOT NULL,
    outcome    VARCHAR   NOT NULL,
    -- The codes of errors, with spaces in between.
    errors     VARCHAR   NOT NULL,
    request_id VARCHAR   NOT NULL
);
