-- of staged reports that say the same reject all but the first
INSERT INTO rejected
SELECT line, 'DUPLICATE_IN_FILE', raw FROM (
    SELECT s.line, s.raw,
        -- Of a message one of a kind counts, of an address alone one of a kind at a time.
        CASE WHEN s.message_id IS NULL THEN row_number() OVER (PARTITION BY s.channel,
            s.address_key, s.kind, s.happened_at, s.message_id IS NULL ORDER BY s.line)
            ELSE row_number() OVER (PARTITION BY s.message_id, s.kind ORDER BY s.line) END AS place
    FROM stage s ANTI JOIN rejected r ON r.line = s.line
)
WHERE place > 1
