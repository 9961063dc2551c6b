-- all claims: those in the table, and those in the journal that were not posted yet
CREATE TEMP TABLE claims AS
SELECT id, coupon_id, code_id, recipient_id FROM posted_claim
UNION ALL
SELECT (c ->> 'id')::BIGINT, (c ->> 'coupon')::BIGINT, (c ->> 'code')::BIGINT,
    (c ->> 'recipient')::BIGINT
FROM (SELECT unnest(json_extract(record, '$.claims[*]')) AS c FROM journal)
