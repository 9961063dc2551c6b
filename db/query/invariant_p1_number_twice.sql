-- P1: a number is given out once
SELECT 'code_' || id FROM code GROUP BY id HAVING count(*) > 1
UNION ALL SELECT 'message_' || id FROM message GROUP BY id HAVING count(*) > 1
UNION ALL SELECT 'redemption_' || id FROM redemption GROUP BY id HAVING count(*) > 1
UNION ALL SELECT 'recipient_' || id FROM recipient GROUP BY id HAVING count(*) > 1
UNION ALL SELECT 'audit entry ' || id FROM audit_entry GROUP BY id HAVING count(*) > 1
UNION ALL SELECT 'coupon_' || id FROM coupon GROUP BY id HAVING count(*) > 1
UNION ALL SELECT 'delivery_' || id FROM delivery GROUP BY id HAVING count(*) > 1
UNION ALL SELECT 'import_' || id FROM import GROUP BY id HAVING count(*) > 1
UNION ALL SELECT 'export_' || id FROM export GROUP BY id HAVING count(*) > 1
UNION ALL SELECT 'upload_' || id FROM upload GROUP BY id HAVING count(*) > 1
UNION ALL SELECT 'key_' || id FROM api_key GROUP BY id HAVING count(*) > 1
UNION ALL SELECT 'list_' || id FROM recipient_list GROUP BY id HAVING count(*) > 1
UNION ALL SELECT 'alert ' || id FROM alert GROUP BY id HAVING count(*) > 1
UNION ALL SELECT 'batch of codes ' || id FROM code_batch GROUP BY id HAVING count(*) > 1
-- A batch that is handed over again is the same messages, or what is left of them.
UNION ALL SELECT 'batch of messages ' || batch_id FROM sending_attempt
GROUP BY batch_id
    HAVING count(DISTINCT delivery_id) > 1 OR count(DISTINCT message_id) > any_value(batch_size)
