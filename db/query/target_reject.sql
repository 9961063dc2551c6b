-- reject staged targets that are nobody, or that the file or the delivery has already
INSERT INTO rejected
SELECT s.line, CASE WHEN s.recipient_id IS NULL THEN 'UNKNOWN_RECIPIENT'
    WHEN s.line > first_line THEN 'DUPLICATE_IN_FILE' ELSE 'ALREADY_EXISTS' END, s.external_id
FROM (SELECT *, min(line) OVER (PARTITION BY external_id) AS first_line FROM stage) s
LEFT JOIN (SELECT recipient_id FROM target WHERE delivery_id = $id) t
    ON t.recipient_id = s.recipient_id
WHERE s.recipient_id IS NULL OR s.line > first_line OR t.recipient_id IS NOT NULL
