-- A person may claim a code: one statement of who has it now, without a message. A claim is written
-- into the journal, as redemptions are. Its numbers are those of messages: a code is held by a
-- message or by a claim, and a return names either. A view names no other one: a copy can make them
-- in any order.

CREATE TABLE posted_claim (
    id              BIGINT    NOT NULL,
    coupon_id       BIGINT    NOT NULL,
    code_id         BIGINT    NOT NULL,
    recipient_id    BIGINT    NOT NULL,
    label           VARCHAR,
    -- How whoever asked will show the code. NULL: not told.
    channel         VARCHAR,
    claimed_at      TIMESTAMP NOT NULL,
    idempotency_key VARCHAR,
    caller          VARCHAR   NOT NULL
);

CREATE VIEW claim AS
SELECT *, false AS is_journaled FROM posted_claim
UNION ALL
SELECT id, coupon, code, recipient, label, channel, written_at, key, caller, true
FROM (
    SELECT written_at, unnest(from_json(record, '{"claims": [{
        "id": "BIGINT", "coupon": "BIGINT", "code": "BIGINT", "recipient": "BIGINT",
        "label": "VARCHAR", "channel": "VARCHAR", "key": "VARCHAR",
        "caller": "VARCHAR"}]}').claims, recursive := true)
    FROM journal WHERE contains(record, '"claims"')
);

-- Who was given a code, by a message or a claim. Without a delivery it is a claim.
CREATE VIEW holding AS
SELECT id, delivery_id, coupon_id, recipient_id, address, code_id, label, NULL AS claim_channel,
    created_at
FROM message
UNION ALL
SELECT id, NULL, coupon_id, recipient_id, NULL, code_id, label, channel, claimed_at
FROM posted_claim
UNION ALL
SELECT id, NULL, coupon, recipient, NULL, code, label, channel, written_at
FROM (
    SELECT written_at, unnest(from_json(record, '{"claims": [{
        "id": "BIGINT", "coupon": "BIGINT", "code": "BIGINT", "recipient": "BIGINT",
        "label": "VARCHAR", "channel": "VARCHAR"}]}').claims, recursive := true)
    FROM journal WHERE contains(record, '"claims"')
);

-- Rows without redemptions are not read as JSON for them. No text in JSON has these quotes.
DROP VIEW redemption;

CREATE VIEW redemption AS
SELECT *, false AS is_journaled FROM posted_redemption
UNION ALL
SELECT id, coupon, code, delivery, channel, label, assigned, coalesce(redeemed, written_at),
    coalesce(redeemed, written_at)::DATE, 'API', reference, amount, currency, key, NULL, NULL,
    written_at, caller, store, customer, true
FROM (
    SELECT written_at, unnest(from_json(record, '{"redemptions": [{
        "id": "BIGINT", "coupon": "BIGINT", "code": "BIGINT", "delivery": "BIGINT",
        "channel": "VARCHAR", "label": "VARCHAR", "assigned": "TIMESTAMP",
        "redeemed": "TIMESTAMP", "reference": "VARCHAR", "amount": "DECIMAL(18, 4)",
        "currency": "VARCHAR", "key": "VARCHAR", "caller": "VARCHAR", "store": "VARCHAR",
        "customer": "VARCHAR"}]}').redemptions, recursive := true)
    FROM journal WHERE contains(record, '"redemptions"')
);

-- The return of a claimed code has no delivery.
ALTER TABLE code_return ALTER COLUMN delivery_id DROP NOT NULL;

-- A key may be of the role CLAIMER, which claims codes and nothing else.
CREATE TABLE api_key_of_before AS FROM api_key;
DROP TABLE api_key;

CREATE TABLE api_key (
    id                  BIGINT    NOT NULL PRIMARY KEY,
    label               VARCHAR   NOT NULL,
    role                VARCHAR   NOT NULL
        CHECK (role IN ('ADMIN', 'MARKETER', 'ANALYST', 'REDEEMER', 'REPORTER', 'CLAIMER')),
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
