-- reject staged reports that were recorded before. Every join is by equal values alone
INSERT INTO rejected
SELECT s.line, 'ALREADY_RECORDED', s.raw FROM (
    SELECT s.line, s.raw FROM stage s
    JOIN bounce b ON b.message_id = s.message_id AND b.kind = s.kind
    UNION ALL
    SELECT s.line, s.raw
    FROM (SELECT * FROM stage WHERE message_id IS NULL) s
    JOIN (SELECT * FROM bounce WHERE message_id IS NULL) b
        ON b.address_key = s.address_key AND b.happened_at = s.happened_at AND b.kind = s.kind
        AND b.channel = s.channel
) s ANTI JOIN rejected r ON r.line = s.line
