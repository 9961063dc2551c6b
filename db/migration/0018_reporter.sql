-- A key may be of the role REPORTER, which records what came of messages and nothing else.

CREATE TABLE api_key_of_before AS FROM api_key;
DROP TABLE api_key;

CREATE TABLE api_key (
    id                  BIGINT    NOT NULL PRIMARY KEY,
    label               VARCHAR   NOT NULL,
    role                VARCHAR   NOT NULL CHECK (role IN ('ADMIN', 'MARKETER', 'ANALYST', 'REDEEMER', 'REPORTER')),
    -- NULL: as many as the server allows everybody.
    requests_per_second INTEGER,
    -- The SHA-256 of the token in hexadecimal; the token itself is not kept.
    digest              VARCHAR   NOT NULL,
    created_at          TIMESTAMP NOT NULL,
    expires_at          TIMESTAMP,
    last_used_at        TIMESTAMP,
    revoked_at          TIMESTAMP
);

INSERT INTO api_key FROM api_key_of_before;
DROP TABLE api_key_of_before;
