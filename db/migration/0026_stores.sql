-- A redemption knows where its code was used and who used it, as the shop names these. Those
-- recorded before this migration tell neither. A view names no other one: a copy can make them in
-- any order.

DROP VIEW redemption;

ALTER TABLE posted_redemption ADD COLUMN store VARCHAR;
ALTER TABLE posted_redemption ADD COLUMN customer VARCHAR;

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
    FROM journal
);
