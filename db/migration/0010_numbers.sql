-- The numbers that coupons, deliveries and the like are known by, and how many of each were given out. They were sequences
-- of the engine, which does not know after a crash what it gave out until it gives out the next one: a copy that was made
-- between the two began anew. A row is in every copy, and changes with what it numbers or not at all.

CREATE TABLE number (
    kind  VARCHAR NOT NULL,
    given BIGINT  NOT NULL
);

-- Not below what any row has: a copy may have begun anew before.
INSERT INTO number
SELECT 'coupon', greatest(nextval('coupon_id') - 1, (SELECT max(id) FROM coupon), (SELECT max(coupon_id) FROM code_batch),
    (SELECT max(coupon_id) FROM delivery), (SELECT max(coupon_id) FROM message), (SELECT max(coupon_id) FROM redemption),
    (SELECT max(coupon_id) FROM import))
UNION ALL
SELECT 'delivery', greatest(nextval('delivery_id') - 1, (SELECT max(id) FROM delivery), (SELECT max(delivery_id) FROM delivery_log),
    (SELECT max(delivery_id) FROM target), (SELECT max(delivery_id) FROM message), (SELECT max(delivery_id) FROM import))
UNION ALL
SELECT 'import', greatest(nextval('import_id') - 1, (SELECT max(id) FROM import), (SELECT max(import_id) FROM code_batch),
    (SELECT max(import_id) FROM posted_redemption), (SELECT max(import_id) FROM rejection))
UNION ALL
SELECT 'upload', greatest(nextval('upload_id') - 1, (SELECT max(id) FROM upload), (SELECT max(upload_id) FROM import))
UNION ALL
SELECT 'export', greatest(nextval('export_id') - 1, (SELECT max(id) FROM export))
UNION ALL
SELECT 'sending_batch', greatest(nextval('sending_batch_id') - 1, (SELECT max(batch_id) FROM sending_attempt))
UNION ALL
SELECT 'alert', greatest(nextval('alert_id') - 1, (SELECT max(id) FROM alert))
UNION ALL
SELECT 'api_key', greatest(nextval('api_key_id') - 1, (SELECT max(id) FROM api_key));

DROP SEQUENCE coupon_id;
DROP SEQUENCE delivery_id;
DROP SEQUENCE import_id;
DROP SEQUENCE upload_id;
DROP SEQUENCE export_id;
DROP SEQUENCE sending_batch_id;
DROP SEQUENCE alert_id;
DROP SEQUENCE api_key_id;
