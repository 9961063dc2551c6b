-- the addresses that staged reports are about, each with where its quarantine stands
CREATE OR REPLACE TEMP TABLE touched AS
SELECT f.channel, f.address_key, arg_min(f.address, f.line) AS address,
    max(q.lifted_at) AS lifted_at,
    count_if(q.id IS NOT NULL AND q.lifted_at IS NULL) > 0 AS is_quarantined
FROM (SELECT s.* FROM stage s ANTI JOIN rejected r ON r.line = s.line
    WHERE s.address_key IS NOT NULL AND s.kind <> 'DELIVERED') f
LEFT JOIN quarantine q ON q.address_key = f.address_key AND q.channel = f.channel
GROUP BY f.channel, f.address_key
