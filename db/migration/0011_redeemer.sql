-- A redemption knows which caller recorded it, so that a till takes back its own alone. Those from a file, and those recorded before
-- this migration, have none. A view names no other one: a copy can make them in any order.

DROP VIEW redemption;

ALTER TABLE posted_redemption ADD COLUMN caller VARCHAR;

CREATE VIEW redemption AS
SELECT *, false AS is_journaled FROM posted_redemption
UNION ALL
SELECT id, coupon, code, delivery, channel, label, assigned, coalesce(redeemed, written_at), coalesce(redeemed, written_at)::DATE, 'API',
    reference, amount, currency, key, NULL, NULL, written_at, caller, true
FROM (
    SELECT written_at, unnest(from_json(record, '{"redemptions": [{"id": "BIGINT", "coupon": "BIGINT", "code": "BIGINT", "delivery": "BIGINT", "channel": "VARCHAR",
        "label": "VARCHAR", "assigned": "TIMESTAMP", "redeemed": "TIMESTAMP", "reference": "VARCHAR", "amount": "DECIMAL(18, 4)",
        "currency": "VARCHAR", "key": "VARCHAR", "caller": "VARCHAR"}]}').redemptions, recursive := true)
    FROM journal
);
