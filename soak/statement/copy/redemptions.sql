-- all redemptions: those in the table, and those in the journal that were not posted yet
CREATE TEMP TABLE redemptions AS
SELECT id, coupon_id, code_id, import_id, reference FROM posted_redemption
UNION ALL
SELECT (r ->> 'id')::BIGINT, (r ->> 'coupon')::BIGINT, (r ->> 'code')::BIGINT, NULL,
    r ->> 'reference'
FROM (SELECT unnest(json_extract(record, '$.redemptions[*]')) AS r FROM journal)
