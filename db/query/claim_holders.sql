-- who was given codes by the messages of deliveries, packed
SELECT delivery_id, string_agg(code_id, ' ' ORDER BY id),
    string_agg(recipient_id, ' ' ORDER BY id)
FROM message
WHERE delivery_id IN (SELECT unnest($deliveries::BIGINT[])) AND code_id IS NOT NULL
GROUP BY 1, id // 4096
ORDER BY min(id)
