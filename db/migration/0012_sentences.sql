-- Sentences that an earlier version made repeat what those who read them may not see. Labels of codes, which say what an attribute of
-- recipients says, are in delivery.analysis.shortByLabel; why an import failed is in import.failure.

UPDATE delivery_log SET text = 'Not enough codes with the label of shortByLabel[' || place || ']: '
    || coalesce(nullif(regexp_extract(text, '": (\d+ needed, \d+ available, \d+ missing\.)$', 1), ''), 'too few.')
FROM (
    SELECT delivery_id AS d, round AS r, seq AS s, row_number() OVER (PARTITION BY delivery_id, round ORDER BY seq) - 1 AS place
    FROM delivery_log WHERE starts_with(text, 'Not enough codes with the label "')
)
WHERE delivery_id = d AND round = r AND seq = s;

-- A remedy with a label adds codes.
UPDATE delivery SET analysis = json_merge_patch(analysis::JSON, json_object('remedies', masked))::VARCHAR
FROM (
    SELECT id AS d, list(CASE
        WHEN starts_with(remedy->>'text', 'Add ') AND contains(remedy->>'text', ' with the label "')
        THEN json_merge_patch(remedy, json_object('text', regexp_extract(remedy->>'text', '^Add \d+ codes?') || ' with this label to the coupon.'))
        ELSE remedy
    END ORDER BY place) AS masked
    FROM (
        SELECT id, unnest(from_json(analysis->'remedies', '["JSON"]')) AS remedy, generate_subscripts(from_json(analysis->'remedies', '["JSON"]'), 1) AS place
        FROM delivery WHERE contains(analysis, ' with the label \"')
    )
    GROUP BY id
)
WHERE id = d;

-- Alerts that were not told yet are told to another server.
UPDATE alert SET text = 'The import of "' || i.file_name || '" failed. Its `failure` says why.'
FROM import i WHERE alert.kind = 'IMPORT_FAILED' AND i.id = alert.subject_id;
