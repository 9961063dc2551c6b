-- how many messages with codes that batches voided ended without being sent since an instant
SELECT count(*) FROM sending s JOIN message m ON m.id = s.message_id
JOIN code_void v ON v.code_id = m.code_id
WHERE s.settled_at >= $since AND s.outcome IN ('CANCELED', 'FAILED')
    AND v.batch_id IN (SELECT unnest($batches::BIGINT[]))
