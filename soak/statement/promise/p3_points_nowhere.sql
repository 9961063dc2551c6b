-- a row points at one that is not there
SELECT 'code_' || id || ' is of coupon_' || coupon_id FROM code
WHERE coupon_id NOT IN (SELECT id FROM coupon)
UNION ALL SELECT 'code_' || id || ' is of batch ' || batch_id FROM code
    WHERE batch_id NOT IN (SELECT id FROM code_batch)
UNION ALL SELECT 'message_' || id || ' is of delivery_' || delivery_id FROM message
    WHERE delivery_id NOT IN (SELECT id FROM delivery)
UNION ALL SELECT 'message_' || id || ' is for recipient_' || recipient_id FROM message
    WHERE recipient_id NOT IN (SELECT id FROM recipient)
UNION ALL SELECT 'message_' || id || ' has code_' || code_id FROM message
    WHERE code_id IS NOT NULL AND code_id NOT IN (SELECT id FROM code)
UNION ALL SELECT 'delivery_' || delivery_id || ' has the target recipient_' || recipient_id
    FROM target WHERE recipient_id NOT IN (SELECT id FROM recipient)
UNION ALL SELECT 'a target is of delivery_' || delivery_id FROM target
    WHERE delivery_id NOT IN (SELECT id FROM delivery)
UNION ALL SELECT 'delivery_' || id || ' is of coupon_' || coupon_id FROM delivery
    WHERE coupon_id IS NOT NULL AND coupon_id NOT IN (SELECT id FROM coupon)
UNION ALL SELECT 'claim ' || id || ' is of code_' || code_id FROM claims
    WHERE code_id NOT IN (SELECT id FROM code)
UNION ALL SELECT 'claim ' || id || ' is for recipient_' || recipient_id FROM claims
    WHERE recipient_id NOT IN (SELECT id FROM recipient)
UNION ALL SELECT 'redemption_' || id || ' is of coupon_' || coupon_id FROM redemptions
    WHERE coupon_id NOT IN (SELECT id FROM coupon)
UNION ALL SELECT 'redemption_' || id || ' is of code_' || code_id FROM redemptions
    WHERE code_id IS NOT NULL AND code_id NOT IN (SELECT id FROM code)
UNION ALL SELECT 'redemption_' || redemption_id || ' was reversed' FROM reversal
    WHERE redemption_id NOT IN (SELECT id FROM redemptions)
UNION ALL SELECT 'message_' || message_id || ' was settled' FROM sending
    WHERE message_id NOT IN (SELECT id FROM message)
UNION ALL SELECT 'message_' || message_id || ' gave its code back' FROM code_return
    WHERE message_id NOT IN (SELECT id FROM message UNION ALL SELECT id FROM claims)
UNION ALL SELECT 'a row was rejected of import_' || import_id FROM rejection
    WHERE import_id NOT IN (SELECT id FROM import)
