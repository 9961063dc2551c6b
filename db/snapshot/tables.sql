-- The tables of a snapshot, which is the attached database "snapshot". Its schema fact has what the
-- views of views.sql show: numbers stand for ids of large tables, which the views make, since texts
-- of ten million ids take longer to write than all else. Nothing secret is here: no settings, no
-- keys, no templates' data. What confidential_text and confidential_object are given is a code, the
-- label of one, or personal data: in a masked snapshot it is not there. confidential_own_code is
-- given the own code of a coupon and its type, which says whether it is one. These macros are made
-- before, see confidentialMacros.

CREATE TABLE snapshot.fact.coupons AS
SELECT 'coupon_' || id AS id, label, confidential_own_code(code, type) AS code, type,
    CASE
        WHEN archived_at IS NOT NULL THEN 'ARCHIVED'
        WHEN taken_at < starts_at THEN 'SCHEDULED'
        WHEN ends_at <= taken_at THEN 'EXPIRED'
        ELSE 'ACTIVE'
    END AS status,
    starts_at, ends_at, redemption_limit, requires_assignment, low_stock_threshold, low_stock_share,
    timezone, metadata, archived_at, created_at, updated_at
FROM coupon, snapshot.fact.snapshot;

CREATE TABLE snapshot.fact.deliveries AS
SELECT 'delivery_' || id AS id, label, channel, 'coupon_' || coupon_id AS coupon_id, status,
    subject, message_limit, match_label_to, contact_at,
    target_count, message_count,
    message_count - sent_count - failed_count - canceled_count - unknown_count AS pending_count,
    sent_count, failed_count,
    canceled_count, unknown_count, created_at, confirmed_at, finished_at, send_rate,
    allow_duplicate_addresses, ignore_quarantine, reuse
FROM delivery;

CREATE TABLE snapshot.fact.imports AS
SELECT 'import_' || id AS id, kind, mode, status, format, is_dry_run,
    'coupon_' || coupon_id AS coupon_id, 'delivery_' || delivery_id AS delivery_id,
    file_name, byte_count, confidential_text(checksum) AS checksum, on_rejection,
    confidential_text(label) AS label, rows_read, rows_imported,
    rows_rejected, confidential_text(failure) AS failure, created_at, started_at,
    finished_at, undone_at
FROM import;

CREATE TABLE snapshot.fact.batches AS
SELECT 'batch_' || id AS id, kind, status, 'coupon_' || coupon_id AS coupon_id,
    'import_' || import_id AS import_id, count,
    confidential_text(created_by) AS created_by, created_at, undone_at,
    confidential_text(failure) AS failure
FROM code_batch;

CREATE TABLE snapshot.fact.recipients AS
SELECT id, external_id, confidential_text(email) AS email, confidential_text(phone) AS phone,
    confidential_text(first_name) AS first_name,
    confidential_text(last_name) AS last_name, confidential_object(attributes) AS attributes,
    is_contactable, updated_at
FROM recipient;

CREATE TABLE snapshot.fact.redemptions AS
SELECT r.id, 'coupon_' || r.coupon_id AS coupon_id, r.code_id, 'delivery_'
    || r.delivery_id AS delivery_id, r.channel, confidential_text(r.label) AS label, r.source,
    r.redeemed_at, r.redeemed_on, r.assigned_at, r.amount, r.currency, r.reference,
    r.store, confidential_text(r.customer) AS customer, r.anomalies,
    'import_' || r.import_id AS import_id, r.recorded_at,
    v.redemption_id IS NOT NULL AS is_reversed, v.reversed_at, v.reason AS reversal_reason
FROM redemption r LEFT JOIN reversal v ON v.redemption_id = r.id;

-- Every message with what became of it. A message whose code was returned has none.
CREATE TABLE snapshot.fact.messages AS
SELECT m.id, 'delivery_' || m.delivery_id AS delivery_id, 'coupon_' || m.coupon_id AS coupon_id,
    d.channel, m.recipient_id, confidential_text(m.address) AS address,
    CASE WHEN b.message_id IS NULL THEN m.code_id END AS code_id,
        confidential_text(m.label) AS label, coalesce(s.outcome, 'PENDING') AS status,
    greatest(coalesce(a.attempts, 0), coalesce(f.refusals, 0) + CASE WHEN s.outcome = 'SENT' THEN 1
    ELSE 0 END) AS attempts,
    m.created_at, CASE WHEN s.outcome = 'SENT' THEN s.settled_at END AS sent_at,
    confidential_text(CASE WHEN s.message_id IS NULL THEN f.reason ELSE s.failure END) AS failure,
    s.reason AS cancel_reason, o.outcome, o.happened_at AS outcome_at,
    confidential_text(o.reason) AS outcome_reason,
    CASE WHEN m.repeats_id NOT IN (SELECT message_id FROM code_return)
        THEN m.repeated_code_id END AS repeated_code_id
FROM message m
JOIN delivery d ON d.id = m.delivery_id
LEFT JOIN sending s ON s.message_id = m.id
LEFT JOIN code_return b ON b.message_id = m.id
LEFT JOIN message_outcome o ON o.message_id = m.id
LEFT JOIN (SELECT message_id, max(number) AS attempts FROM sending_attempt GROUP BY message_id) a
    ON a.message_id = m.id
LEFT JOIN (SELECT message_id, count(*) AS refusals, arg_max(reason, number) AS reason
    FROM sending_refusal GROUP BY message_id) f ON f.message_id = m.id;

CREATE TABLE snapshot.fact.quarantine AS
SELECT channel, confidential_text(address) AS address, since AS quarantined_at, reason,
    bounce_count,
    confidential_text(last_reason) AS last_reason
FROM quarantine WHERE lifted_at IS NULL;

-- Every code with where it stands, decided as coupon.CodeState does.
CREATE TABLE snapshot.fact.codes AS
SELECT c.id, confidential_text(coalesce(c.value, c.key)) AS value,
    confidential_text(c.label) AS label, 'coupon_' || c.coupon_id AS coupon_id,
    CASE
        WHEN r.code_id IS NOT NULL THEN 'REDEEMED'
        WHEN v.code_id IS NOT NULL THEN 'VOIDED'
        WHEN p.ends_at <= t.taken_at THEN 'EXPIRED'
        WHEN m.id IS NOT NULL THEN 'ASSIGNED'
        ELSE 'AVAILABLE'
    END AS status,
    'import_' || n.import_id AS import_id, c.batch_id, n.created_at AS added_at, m.id AS message_id,
    m.delivery_id, m.recipient_id, m.channel,
    m.created_at AS assigned_at, m.sent_at, r.redeemed_at, r.redemption_count, v.voided_at
FROM code c
CROSS JOIN snapshot.fact.snapshot t
JOIN coupon p ON p.id = c.coupon_id
JOIN code_batch n ON n.id = c.batch_id
LEFT JOIN (SELECT * FROM snapshot.fact.messages WHERE code_id IS NOT NULL) m ON m.code_id = c.id
LEFT JOIN (
    SELECT code_id, min(redeemed_at) AS redeemed_at, count(*) AS redemption_count
    FROM snapshot.fact.redemptions WHERE code_id IS NOT NULL AND NOT is_reversed
    GROUP BY code_id
) r ON r.code_id = c.id
LEFT JOIN (SELECT code_id, min(voided_at) AS voided_at FROM code_void GROUP BY code_id) v
    ON v.code_id = c.id;

-- How many codes of a pool have a label, in a masked snapshot too: it is of the single code that a
-- label may tell about a person.
CREATE TABLE snapshot.fact.labels AS
SELECT f.coupon_id, c.label, count(*) AS total, count_if(f.status = 'AVAILABLE') AS available,
    count_if(f.status = 'ASSIGNED') AS assigned,
    count_if(f.status = 'REDEEMED') AS redeemed, count_if(f.status = 'EXPIRED') AS expired,
    count_if(f.status = 'VOIDED') AS voided
FROM code c JOIN snapshot.fact.codes f ON f.id = c.id
WHERE c.label IS NOT NULL
GROUP BY f.coupon_id, c.label
ORDER BY f.coupon_id, c.label;
