-- every run of codes: one label of one batch; count tells whether the run has gaps
SELECT c.batch_id, c.coupon_id, coalesce(c.label, ''), coalesce(any_value(b.import_id), 0),
    any_value(b.created_at), min(c.id) AS first_id, max(c.id), count(*)
FROM code c JOIN code_batch b ON b.id = c.batch_id
GROUP BY c.batch_id, c.coupon_id, c.label
ORDER BY first_id
