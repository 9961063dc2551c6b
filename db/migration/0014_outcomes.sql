-- What a delivery may switch off, and its own pace.

-- Messages a second. NULL: only the server's own limit.
ALTER TABLE delivery ADD COLUMN send_rate DOUBLE;
ALTER TABLE delivery ADD COLUMN allow_duplicate_addresses BOOLEAN DEFAULT false;
ALTER TABLE delivery ADD COLUMN ignore_quarantine BOOLEAN DEFAULT false;

-- What was reported of messages after they were handed over, each report once: of a message one of a kind, of an address alone
-- one of a kind at a time. Addresses are compared as those of targets are.
CREATE TABLE bounce (
    -- NULL: of an address alone.
    message_id  BIGINT,
    delivery_id BIGINT,
    channel     VARCHAR   NOT NULL,
    -- NULL: the recipient was erased.
    address_key VARCHAR,
    kind        VARCHAR   NOT NULL CHECK (kind IN ('SOFT', 'DELIVERED', 'HARD', 'COMPLAINT')),
    happened_at TIMESTAMP NOT NULL,
    reason      VARCHAR,
    import_id   BIGINT,
    recorded_at TIMESTAMP NOT NULL
);

-- Addresses that are not written to any more, or were not until somebody lifted it. One row of an address is not lifted.
CREATE TABLE quarantine (
    id           BIGINT    NOT NULL,
    channel      VARCHAR   NOT NULL,
    address_key  VARCHAR   NOT NULL,
    -- As it was when it was first reported, to be shown.
    address      VARCHAR   NOT NULL,
    reason       VARCHAR   NOT NULL CHECK (reason IN ('SOFT', 'HARD', 'COMPLAINT')),
    bounce_count BIGINT    NOT NULL,
    last_reason  VARCHAR,
    since        TIMESTAMP NOT NULL,
    lifted_at    TIMESTAMP
);

-- What came of each message that something was reported of: the kind that counts most, in the order of coupon.BounceKinds.
CREATE VIEW message_outcome AS
SELECT message_id, delivery_id, ['SOFT_BOUNCE', 'DELIVERED', 'HARD_BOUNCE', 'COMPLAINT'][max(place)] AS outcome,
    arg_max(happened_at, place) AS happened_at, arg_max_null(reason, place) AS reason
FROM (SELECT *, list_position(['SOFT', 'DELIVERED', 'HARD', 'COMPLAINT'], kind) AS place FROM bounce WHERE message_id IS NOT NULL)
GROUP BY message_id, delivery_id;

-- What an import of reports takes addresses and rows for that do not say it.
ALTER TABLE import ADD COLUMN channel VARCHAR;
ALTER TABLE import ADD COLUMN bounce_kind VARCHAR;
