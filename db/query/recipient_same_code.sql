-- the code of a coupon that a message would carry to a recipient again; see delivery_prepare_reuse
SELECT m.code_id FROM message m JOIN sending s ON s.message_id = m.id
WHERE m.recipient_id = $recipient_id AND m.coupon_id = $coupon_id AND m.code_id IS NOT NULL
    AND m.id NOT IN (SELECT message_id FROM code_return)
    AND m.code_id NOT IN (SELECT code_id FROM code_void)
    AND m.code_id NOT IN (SELECT code_id FROM redemption
        WHERE coupon_id = $coupon_id AND code_id IS NOT NULL
            AND id NOT IN (SELECT redemption_id FROM reversal))
ORDER BY m.id DESC LIMIT 1
