-- The views that analysts ask about. Their ids are those of the API, their times are in UTC. Every
-- view and column has a comment, which the README and the description of the field sql repeat.

CREATE VIEW snapshot.main.coupons AS
SELECT id, label, code, type, status, starts_at, ends_at, redemption_limit, requires_assignment,
    low_stock_threshold, low_stock_share, timezone,
    metadata::JSON AS metadata, archived_at, created_at, updated_at
FROM fact.coupons;
COMMENT ON VIEW snapshot.main.coupons IS 'The coupons, one a row.';
COMMENT ON COLUMN snapshot.main.coupons.id IS 'Such as coupon_17.';
COMMENT ON COLUMN snapshot.main.coupons.label IS 'What it is called.';
COMMENT ON COLUMN snapshot.main.coupons.code IS
    'Its own code; of an ANONYMOUS coupon the one that everybody gets, of an INDIVIDUAL one only a name.';
COMMENT ON COLUMN snapshot.main.coupons.type IS 'ANONYMOUS or INDIVIDUAL.';
COMMENT ON COLUMN snapshot.main.coupons.status IS
    'SCHEDULED, ACTIVE, EXPIRED or ARCHIVED, when the snapshot was taken.';
COMMENT ON COLUMN snapshot.main.coupons.starts_at IS 'From when on it is valid.';
COMMENT ON COLUMN snapshot.main.coupons.ends_at IS
    'When it is no longer valid. NULL: it does not end.';
COMMENT ON COLUMN snapshot.main.coupons.redemption_limit IS
    'How often one code may be redeemed. NULL: no limit.';
COMMENT ON COLUMN snapshot.main.coupons.requires_assignment IS
    'Only codes that were given to somebody may be redeemed.';
COMMENT ON COLUMN snapshot.main.coupons.low_stock_threshold IS
    'Fewer available codes than this are low stock.';
COMMENT ON COLUMN snapshot.main.coupons.low_stock_share IS
    'A smaller share of available codes than this is low stock.';
COMMENT ON COLUMN snapshot.main.coupons.timezone IS
    'Where its dates are meant, such as Europe/Berlin.';
COMMENT ON COLUMN snapshot.main.coupons.metadata IS
    'What the marketer keeps with it, a JSON object.';
COMMENT ON COLUMN snapshot.main.coupons.archived_at IS 'NULL: it is not archived.';
COMMENT ON COLUMN snapshot.main.coupons.created_at IS 'When it was created.';
COMMENT ON COLUMN snapshot.main.coupons.updated_at IS 'When it was changed last.';

CREATE VIEW snapshot.main.codes AS
SELECT 'code_' || id AS id, value, label, coupon_id, status, import_id,
    'batch_' || batch_id AS batch_id, added_at, 'message_' || message_id AS message_id, delivery_id,
    'recipient_' || recipient_id AS recipient_id, channel, assigned_at, sent_at, redeemed_at,
    coalesce(redemption_count, 0) AS redemption_count, voided_at
FROM fact.codes;
COMMENT ON VIEW snapshot.main.codes IS 'The codes in the pools of individual coupons, one a row.';
COMMENT ON COLUMN snapshot.main.codes.id IS 'Such as code_17.';
COMMENT ON COLUMN snapshot.main.codes.value IS 'The code as it was given.';
COMMENT ON COLUMN snapshot.main.codes.label IS 'Its label inside the pool. NULL: none.';
COMMENT ON COLUMN snapshot.main.codes.coupon_id IS 'Whose pool it is in.';
COMMENT ON COLUMN snapshot.main.codes.status IS
    'AVAILABLE, ASSIGNED, REDEEMED, EXPIRED or VOIDED, when the snapshot was taken.';
COMMENT ON COLUMN snapshot.main.codes.import_id IS
    'The import that brought it. NULL: it was added or generated.';
COMMENT ON COLUMN snapshot.main.codes.batch_id IS 'The batch that brought it.';
COMMENT ON COLUMN snapshot.main.codes.added_at IS 'When it was added.';
COMMENT ON COLUMN snapshot.main.codes.message_id IS
    'The message that has it. NULL: none, or it was claimed.';
COMMENT ON COLUMN snapshot.main.codes.delivery_id IS 'The delivery of that message. NULL as there.';
COMMENT ON COLUMN snapshot.main.codes.recipient_id IS 'Who has it. NULL: nobody.';
COMMENT ON COLUMN snapshot.main.codes.channel IS 'EMAIL, SMS, PUSH or DIRECT_MAIL.';
COMMENT ON COLUMN snapshot.main.codes.assigned_at IS 'When it was given away.';
COMMENT ON COLUMN snapshot.main.codes.sent_at IS 'When the message was handed to its sender.';
COMMENT ON COLUMN snapshot.main.codes.redeemed_at IS
    'When it was redeemed first, reversed redemptions left out.';
COMMENT ON COLUMN snapshot.main.codes.redemption_count IS
    'How often it was redeemed, reversed redemptions left out.';
COMMENT ON COLUMN snapshot.main.codes.voided_at IS 'When it was voided.';

CREATE VIEW snapshot.main.claims AS
SELECT coupon_id, 'code_' || code_id AS code_id, 'recipient_' || recipient_id AS recipient_id,
    label, channel, claimed_at
FROM fact.claims;
COMMENT ON VIEW snapshot.main.claims IS
    'The codes that people claimed, by claimCode, one a row.';
COMMENT ON COLUMN snapshot.main.claims.coupon_id IS 'The coupon.';
COMMENT ON COLUMN snapshot.main.claims.code_id IS 'The code. NULL: it went back.';
COMMENT ON COLUMN snapshot.main.claims.recipient_id IS 'Who claimed it.';
COMMENT ON COLUMN snapshot.main.claims.label IS 'The label of the code.';
COMMENT ON COLUMN snapshot.main.claims.channel IS
    'How it was to be shown: EMAIL, SMS, PUSH or DIRECT_MAIL. NULL: not told.';
COMMENT ON COLUMN snapshot.main.claims.claimed_at IS 'When it was claimed.';

CREATE VIEW snapshot.main.recipients AS
SELECT 'recipient_' || id AS id, external_id, email, phone, first_name, last_name,
    attributes::JSON AS attributes, is_contactable, updated_at
FROM fact.recipients;
COMMENT ON VIEW snapshot.main.recipients IS 'The recipients, one a row.';
COMMENT ON COLUMN snapshot.main.recipients.id IS 'Such as recipient_17.';
COMMENT ON COLUMN snapshot.main.recipients.external_id IS 'What your systems call the person.';
COMMENT ON COLUMN snapshot.main.recipients.email IS 'The address for EMAIL.';
COMMENT ON COLUMN snapshot.main.recipients.phone IS 'The number for SMS.';
COMMENT ON COLUMN snapshot.main.recipients.first_name IS 'The first name.';
COMMENT ON COLUMN snapshot.main.recipients.last_name IS 'The last name.';
COMMENT ON COLUMN snapshot.main.recipients.attributes IS
    'Everything else, a JSON object: attributes->>''city''.';
COMMENT ON COLUMN snapshot.main.recipients.is_contactable IS 'The person may be written to.';
COMMENT ON COLUMN snapshot.main.recipients.updated_at IS 'When it was changed last.';

CREATE VIEW snapshot.main.deliveries AS
SELECT id, label, channel, coupon_id, status, subject, message_limit, match_label_to, contact_at,
    target_count, message_count, pending_count, sent_count,
    failed_count, canceled_count, unknown_count, created_at, confirmed_at, finished_at, send_rate,
    allow_duplicate_addresses, ignore_quarantine, reuse
FROM fact.deliveries;
COMMENT ON VIEW snapshot.main.deliveries IS 'The deliveries, one a row.';
COMMENT ON COLUMN snapshot.main.deliveries.id IS 'Such as delivery_17.';
COMMENT ON COLUMN snapshot.main.deliveries.label IS 'What it is called.';
COMMENT ON COLUMN snapshot.main.deliveries.channel IS 'EMAIL, SMS, PUSH or DIRECT_MAIL.';
COMMENT ON COLUMN snapshot.main.deliveries.coupon_id IS
    'The coupon whose codes it gives away. NULL: none.';
COMMENT ON COLUMN snapshot.main.deliveries.status IS
    'EDITING, READY, SCHEDULED, IN_PROGRESS, PAUSED, FINISHED, STOPPED or FAILED.';
COMMENT ON COLUMN snapshot.main.deliveries.subject IS 'The template of the subject.';
COMMENT ON COLUMN snapshot.main.deliveries.message_limit IS
    'At most so many messages. NULL or 0: no limit.';
COMMENT ON COLUMN snapshot.main.deliveries.match_label_to IS
    'The attribute of recipients that says which label their code must have.';
COMMENT ON COLUMN snapshot.main.deliveries.contact_at IS 'When it is to be sent. NULL: at once.';
COMMENT ON COLUMN snapshot.main.deliveries.target_count IS 'How many recipients were added.';
COMMENT ON COLUMN snapshot.main.deliveries.message_count IS
    'How many messages it has, once it is confirmed.';
COMMENT ON COLUMN snapshot.main.deliveries.pending_count IS 'Messages that wait.';
COMMENT ON COLUMN snapshot.main.deliveries.sent_count IS 'Messages that were handed to the sender.';
COMMENT ON COLUMN snapshot.main.deliveries.failed_count IS 'Messages that cannot be sent.';
COMMENT ON COLUMN snapshot.main.deliveries.canceled_count IS
    'Messages that will not be sent; messages.cancel_reason says why.';
COMMENT ON COLUMN snapshot.main.deliveries.unknown_count IS
    'Messages that were handed over and never answered.';
COMMENT ON COLUMN snapshot.main.deliveries.created_at IS 'When it was created.';
COMMENT ON COLUMN snapshot.main.deliveries.confirmed_at IS 'When it was confirmed. NULL: not yet.';
COMMENT ON COLUMN snapshot.main.deliveries.finished_at IS
    'When its last message was settled. NULL: not yet.';
COMMENT ON COLUMN snapshot.main.deliveries.send_rate IS
    'At most so many messages a second. NULL: only the limit of the server.';
COMMENT ON COLUMN snapshot.main.deliveries.allow_duplicate_addresses IS
    'An address that several targets have gets a message for each.';
COMMENT ON COLUMN snapshot.main.deliveries.ignore_quarantine IS
    'Addresses in quarantine get theirs, but for complaints.';
COMMENT ON COLUMN snapshot.main.deliveries.reuse IS
    'NEW_CODE, SAME_CODE or SKIP_HOLDERS: what people get who have a code of the coupon.';

CREATE VIEW snapshot.main.messages AS
SELECT 'message_' || id AS id, delivery_id, coupon_id, channel, 'recipient_'
    || recipient_id AS recipient_id, address, 'code_' || code_id AS code_id, label, status,
    attempts, created_at, sent_at, failure, cancel_reason, outcome, outcome_at, outcome_reason,
    'code_' || repeated_code_id AS repeated_code_id
FROM fact.messages;
COMMENT ON VIEW snapshot.main.messages IS 'The messages of confirmed deliveries, one a row.';
COMMENT ON COLUMN snapshot.main.messages.id IS 'Such as message_17.';
COMMENT ON COLUMN snapshot.main.messages.delivery_id IS 'The delivery.';
COMMENT ON COLUMN snapshot.main.messages.coupon_id IS
    'The coupon whose code it carries. NULL: none.';
COMMENT ON COLUMN snapshot.main.messages.channel IS 'EMAIL, SMS, PUSH or DIRECT_MAIL.';
COMMENT ON COLUMN snapshot.main.messages.recipient_id IS 'The recipient.';
COMMENT ON COLUMN snapshot.main.messages.address IS 'Where it goes: an e-mail address, a number…';
COMMENT ON COLUMN snapshot.main.messages.code_id IS
    'Its code. NULL: none of a pool, or the code went back.';
COMMENT ON COLUMN snapshot.main.messages.label IS 'The label of its code.';
COMMENT ON COLUMN snapshot.main.messages.status IS 'PENDING, SENT, FAILED, CANCELED or UNKNOWN.';
COMMENT ON COLUMN snapshot.main.messages.attempts IS
    'How often it was handed to a sender that can refuse it.';
COMMENT ON COLUMN snapshot.main.messages.created_at IS 'When the delivery was confirmed.';
COMMENT ON COLUMN snapshot.main.messages.sent_at IS
    'When it was handed to its sender. NULL: it is not SENT.';
COMMENT ON COLUMN snapshot.main.messages.failure IS 'Why it FAILED, or was refused last.';
COMMENT ON COLUMN snapshot.main.messages.cancel_reason IS
    'Why it is CANCELED, as CancelReason of the API says it. NULL: it is not.';
COMMENT ON COLUMN snapshot.main.messages.outcome IS
    'What was reported of it: DELIVERED, SOFT_BOUNCE, HARD_BOUNCE or COMPLAINT. NULL: nothing.';
COMMENT ON COLUMN snapshot.main.messages.outcome_at IS
    'When that happened. NULL: nothing was reported.';
COMMENT ON COLUMN snapshot.main.messages.outcome_reason IS
    'What was said of it, such as the answer of a mail server. NULL: nothing.';
COMMENT ON COLUMN snapshot.main.messages.repeated_code_id IS
    'The code that it carries again: the recipient had it by an earlier message, or claimed it.';

CREATE VIEW snapshot.main.quarantine AS
SELECT channel, address, quarantined_at, reason, bounce_count, last_reason
FROM fact.quarantine;
COMMENT ON VIEW snapshot.main.quarantine IS 'The addresses in quarantine, one a row.';
COMMENT ON COLUMN snapshot.main.quarantine.channel IS 'EMAIL, SMS, PUSH or DIRECT_MAIL.';
COMMENT ON COLUMN snapshot.main.quarantine.address IS 'The address.';
COMMENT ON COLUMN snapshot.main.quarantine.quarantined_at IS 'Since when it is.';
COMMENT ON COLUMN snapshot.main.quarantine.reason IS 'HARD, SOFT or COMPLAINT.';
COMMENT ON COLUMN snapshot.main.quarantine.bounce_count IS
    'How many bounces and complaints were reported of it.';
COMMENT ON COLUMN snapshot.main.quarantine.last_reason IS
    'What the latest of them said. NULL: nothing.';

CREATE VIEW snapshot.main.redemptions AS
SELECT 'redemption_' || id AS id, coupon_id, 'code_' || code_id AS code_id, delivery_id, channel,
    label, source, redeemed_at, redeemed_on, assigned_at, amount,
    currency, reference, store, customer, string_split(nullif(anomalies, ''), ' ') AS anomalies,
    import_id, recorded_at, is_reversed, reversed_at, reversal_reason
FROM fact.redemptions;
COMMENT ON VIEW snapshot.main.redemptions IS 'The redemptions, one a row, reversed ones too.';
COMMENT ON COLUMN snapshot.main.redemptions.id IS 'Such as redemption_17.';
COMMENT ON COLUMN snapshot.main.redemptions.coupon_id IS 'The coupon.';
COMMENT ON COLUMN snapshot.main.redemptions.code_id IS
    'The code. NULL: the own code of an ANONYMOUS coupon.';
COMMENT ON COLUMN snapshot.main.redemptions.delivery_id IS
    'The delivery that gave the code away. NULL: none.';
COMMENT ON COLUMN snapshot.main.redemptions.channel IS 'The channel of that delivery.';
COMMENT ON COLUMN snapshot.main.redemptions.label IS 'The label of the code.';
COMMENT ON COLUMN snapshot.main.redemptions.source IS 'API or IMPORT.';
COMMENT ON COLUMN snapshot.main.redemptions.redeemed_at IS 'When it was redeemed.';
COMMENT ON COLUMN snapshot.main.redemptions.redeemed_on IS
    'The day of it in UTC; to group by it is fastest.';
COMMENT ON COLUMN snapshot.main.redemptions.assigned_at IS
    'When the code had been given to a message.';
COMMENT ON COLUMN snapshot.main.redemptions.amount IS 'The value of the purchase, in currency.';
COMMENT ON COLUMN snapshot.main.redemptions.currency IS 'Such as EUR.';
COMMENT ON COLUMN snapshot.main.redemptions.reference IS 'What the shop calls the purchase.';
COMMENT ON COLUMN snapshot.main.redemptions.store IS
    'Where the code was used: a shop, till or site, as the shop names it.';
COMMENT ON COLUMN snapshot.main.redemptions.customer IS
    'Who used the code, as the shop names that person.';
COMMENT ON COLUMN snapshot.main.redemptions.anomalies IS
    'What is odd about it, a list. NULL: nothing.';
COMMENT ON COLUMN snapshot.main.redemptions.import_id IS 'The import that brought it. NULL: none.';
COMMENT ON COLUMN snapshot.main.redemptions.recorded_at IS 'When the server heard of it.';
COMMENT ON COLUMN snapshot.main.redemptions.is_reversed IS 'It was taken back and does not count.';
COMMENT ON COLUMN snapshot.main.redemptions.reversed_at IS
    'When it was taken back. NULL: it was not.';
COMMENT ON COLUMN snapshot.main.redemptions.reversal_reason IS 'Why it was taken back.';

CREATE VIEW snapshot.main.imports AS
SELECT id, kind, mode, status, format, is_dry_run, coupon_id, delivery_id, file_name, byte_count,
    checksum, on_rejection, label, rows_read, rows_imported,
    rows_rejected, failure, created_at, started_at, finished_at, undone_at
FROM fact.imports;
COMMENT ON VIEW snapshot.main.imports IS 'The imports, one a row.';
COMMENT ON COLUMN snapshot.main.imports.id IS 'Such as import_17.';
COMMENT ON COLUMN snapshot.main.imports.kind IS 'What the rows of the file are, such as CODES.';
COMMENT ON COLUMN snapshot.main.imports.mode IS 'ADD, REPLACE_UNUSED or VOID.';
COMMENT ON COLUMN snapshot.main.imports.status IS 'QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELED.';
COMMENT ON COLUMN snapshot.main.imports.format IS 'CSV, XML, JSONL or PARQUET.';
COMMENT ON COLUMN snapshot.main.imports.is_dry_run IS 'It only checked the file.';
COMMENT ON COLUMN snapshot.main.imports.coupon_id IS
    'The coupon whose pool it changed. NULL: none.';
COMMENT ON COLUMN snapshot.main.imports.delivery_id IS
    'The delivery whose targets it added. NULL: none.';
COMMENT ON COLUMN snapshot.main.imports.file_name IS 'What the file was called.';
COMMENT ON COLUMN snapshot.main.imports.byte_count IS 'The size of the file.';
COMMENT ON COLUMN snapshot.main.imports.checksum IS 'SHA-256 of the file, in hexadecimal.';
COMMENT ON COLUMN snapshot.main.imports.on_rejection IS 'What a bad row did to the others.';
COMMENT ON COLUMN snapshot.main.imports.label IS 'The label of rows that name none.';
COMMENT ON COLUMN snapshot.main.imports.rows_read IS 'Rows of the file.';
COMMENT ON COLUMN snapshot.main.imports.rows_imported IS 'Rows that were taken.';
COMMENT ON COLUMN snapshot.main.imports.rows_rejected IS 'Rows that were not.';
COMMENT ON COLUMN snapshot.main.imports.failure IS 'Why it FAILED.';
COMMENT ON COLUMN snapshot.main.imports.created_at IS 'When it was asked for.';
COMMENT ON COLUMN snapshot.main.imports.started_at IS 'When it began.';
COMMENT ON COLUMN snapshot.main.imports.finished_at IS 'When it ended.';
COMMENT ON COLUMN snapshot.main.imports.undone_at IS
    'When what it added was taken back. NULL: it was not.';

CREATE VIEW snapshot.main.batches AS
SELECT id, kind, status, coupon_id, import_id, count, created_by, created_at, undone_at, failure
FROM fact.batches;
COMMENT ON VIEW snapshot.main.batches IS
    'The batches of codes that came together or were voided together, one a row.';
COMMENT ON COLUMN snapshot.main.batches.id IS 'Such as batch_17.';
COMMENT ON COLUMN snapshot.main.batches.kind IS 'ADDED, GENERATED, IMPORTED or VOIDED.';
COMMENT ON COLUMN snapshot.main.batches.status IS
    'SUCCEEDED; one that a job makes is also QUEUED, RUNNING, FAILED or CANCELED.';
COMMENT ON COLUMN snapshot.main.batches.coupon_id IS 'The coupon whose codes they are.';
COMMENT ON COLUMN snapshot.main.batches.import_id IS 'The import that did it. NULL: none did.';
COMMENT ON COLUMN snapshot.main.batches.count IS 'How many codes it brought or voided.';
COMMENT ON COLUMN snapshot.main.batches.created_by IS
    'Who asked for it, as the audit log says it. NULL: nobody knows.';
COMMENT ON COLUMN snapshot.main.batches.created_at IS 'When its codes were there, or voided.';
COMMENT ON COLUMN snapshot.main.batches.undone_at IS 'When it was taken back. NULL: it was not.';
COMMENT ON COLUMN snapshot.main.batches.failure IS 'Why it FAILED. NULL: it did not.';

CREATE VIEW snapshot.main.labels AS
SELECT coupon_id, label, total, available, assigned, redeemed, expired, voided
FROM fact.labels;
COMMENT ON VIEW snapshot.main.labels IS 'The labels of the codes in each pool, one a row.';
COMMENT ON COLUMN snapshot.main.labels.coupon_id IS 'Whose pool it is.';
COMMENT ON COLUMN snapshot.main.labels.label IS 'The label. Codes without one are left out.';
COMMENT ON COLUMN snapshot.main.labels.total IS 'How many codes have it.';
COMMENT ON COLUMN snapshot.main.labels.available IS
    'How many of them are AVAILABLE, those held for deliveries too.';
COMMENT ON COLUMN snapshot.main.labels.assigned IS 'How many of them are ASSIGNED.';
COMMENT ON COLUMN snapshot.main.labels.redeemed IS 'How many of them are REDEEMED.';
COMMENT ON COLUMN snapshot.main.labels.expired IS 'How many of them are EXPIRED.';
COMMENT ON COLUMN snapshot.main.labels.voided IS 'How many of them are VOIDED.';
