-- cancel the pending messages of a delivery but for those in open batches. Of what was handed over
-- before, nobody knows what became of it
INSERT INTO sending (message_id, delivery_id, outcome, settled_at, failure, reason)
SELECT id, delivery_id, CASE WHEN is_unknown THEN 'UNKNOWN' ELSE 'CANCELED' END, $now, CASE
    WHEN is_unknown THEN $unknown ELSE $text END,
    CASE WHEN NOT is_unknown THEN $reason END
FROM (
    SELECT m.id, m.delivery_id, f.message_id IS NOT NULL AS is_unknown FROM message m
    LEFT JOIN (
        SELECT a.message_id, max(a.batch_id) AS batch_id
        FROM (SELECT * FROM sending_attempt WHERE delivery_id = $id) a
        ANTI JOIN (SELECT * FROM sending_refusal WHERE delivery_id = $id) r
            ON r.message_id = a.message_id AND r.number = a.number
        GROUP BY a.message_id
    ) f ON f.message_id = m.id
    WHERE m.delivery_id = $id
        AND m.id NOT IN (SELECT message_id FROM sending WHERE delivery_id = $id)
        AND (f.batch_id IS NULL OR NOT list_contains($batches::BIGINT[], f.batch_id))
)
