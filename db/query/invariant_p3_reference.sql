-- P3: what a row points at is there, but for coupons and deliveries that were deleted with what was
-- theirs
SELECT 'code_' || code_id || ' of ' || concat(source, source_id) FROM (
    SELECT code_id, 'message_' AS source, id AS source_id FROM message WHERE code_id IS NOT NULL
    UNION ALL SELECT code_id, 'redemption_', id FROM redemption WHERE code_id IS NOT NULL
    UNION ALL SELECT code_id, 'a return', NULL FROM code_return
    UNION ALL SELECT code_id, 'a void', NULL FROM code_void
    UNION ALL SELECT code_id, 'a restoring', NULL FROM code_restore
) ANTI JOIN code ON code.id = code_id
UNION ALL
SELECT 'message_' || message_id || ' of ' || concat(source, source_id) FROM (
    SELECT message_id, 'an outcome' AS source, NULL AS source_id FROM sending
    UNION ALL SELECT message_id, 'an attempt', NULL FROM sending_attempt
    UNION ALL SELECT message_id, 'a refusal', NULL FROM sending_refusal
    UNION ALL SELECT message_id, 'a return', NULL FROM code_return
    UNION ALL SELECT message_id, 'a report', NULL FROM bounce WHERE message_id IS NOT NULL
) ANTI JOIN message ON message.id = message_id
UNION ALL
SELECT 'recipient_' || recipient_id || ' of ' || concat(source, source_id) FROM (
    SELECT recipient_id, 'message_' AS source, id AS source_id FROM message
    UNION ALL SELECT recipient_id, 'a target', NULL FROM target
    UNION ALL SELECT recipient_id, 'a list', NULL FROM list_member
    UNION ALL SELECT recipient_id, 'an exclusion', NULL FROM exclusion
) ANTI JOIN recipient ON recipient.id = recipient_id
UNION ALL
SELECT 'redemption_' || redemption_id || ' of a reversal' FROM reversal
ANTI JOIN redemption ON redemption.id = redemption_id
UNION ALL
SELECT 'coupon_' || coupon_id || ' of ' || concat(source, source_id) FROM (
    SELECT coupon_id, 'code_' AS source, id AS source_id FROM code
    UNION ALL SELECT coupon_id, 'message_', id FROM message WHERE coupon_id IS NOT NULL
    UNION ALL SELECT coupon_id, 'redemption_', id FROM redemption
    UNION ALL SELECT coupon_id, 'delivery_', id FROM delivery WHERE coupon_id IS NOT NULL
    UNION ALL SELECT coupon_id, 'a hold', NULL FROM hold
) ANTI JOIN coupon ON coupon.id = coupon_id
UNION ALL
SELECT 'delivery_' || delivery_id || ' of ' || concat(source, source_id) FROM (
    SELECT delivery_id, 'message_' AS source, id AS source_id FROM message
    UNION ALL SELECT delivery_id, 'redemption_', id FROM redemption WHERE delivery_id IS NOT NULL
    UNION ALL SELECT delivery_id, 'a target', NULL FROM target
    UNION ALL SELECT delivery_id, 'an exclusion', NULL FROM exclusion
    UNION ALL SELECT delivery_id, 'a hold', NULL FROM hold
    UNION ALL SELECT delivery_id, 'a log', NULL FROM delivery_log
    UNION ALL SELECT delivery_id, 'an outcome', NULL FROM sending
    UNION ALL SELECT delivery_id, 'an attempt', NULL FROM sending_attempt
    UNION ALL SELECT delivery_id, 'a refusal', NULL FROM sending_refusal
    UNION ALL SELECT delivery_id, 'a return', NULL FROM code_return
    UNION ALL SELECT delivery_id, 'a report', NULL FROM bounce WHERE delivery_id IS NOT NULL
) ANTI JOIN delivery ON delivery.id = delivery_id
UNION ALL
SELECT 'list_' || list_id || ' of a member' FROM list_member
ANTI JOIN recipient_list ON recipient_list.id = list_id
UNION ALL
SELECT 'batch_' || batch_id || ' of a void' FROM code_void
ANTI JOIN code_batch ON code_batch.id = batch_id WHERE batch_id IS NOT NULL
UNION ALL
SELECT 'batch_' || batch_id || ' of a restoring' FROM code_restore
ANTI JOIN code_batch ON code_batch.id = batch_id
UNION ALL
SELECT 'import_' || import_id || ' of ' || concat(source, source_id) FROM (
    SELECT import_id, 'batch of codes ' AS source, id AS source_id FROM code_batch
    WHERE import_id IS NOT NULL
    UNION ALL SELECT import_id, 'redemption_', id FROM redemption WHERE import_id IS NOT NULL
    UNION ALL SELECT import_id, 'a rejection', NULL FROM rejection
    UNION ALL SELECT import_id, 'a report', NULL FROM bounce WHERE import_id IS NOT NULL
) ANTI JOIN import ON import.id = import_id
