-- the addresses in quarantine that an import reported something of; is_quarantined tells those that
-- were there before it
CREATE OR REPLACE TEMP TABLE touched AS
SELECT q.channel, q.address_key, q.address, max(past.lifted_at) AS lifted_at,
    q.since < r.recorded_at AS is_quarantined
FROM (
    SELECT channel, address_key, min(recorded_at) AS recorded_at FROM bounce
    WHERE import_id = $import_id AND address_key IS NOT NULL AND kind <> 'DELIVERED'
    GROUP BY channel, address_key
) r
JOIN quarantine q ON q.address_key = r.address_key AND q.channel = r.channel AND q.lifted_at IS NULL
LEFT JOIN quarantine past ON past.address_key = q.address_key AND past.channel = q.channel
GROUP BY q.channel, q.address_key, q.address, q.since, r.recorded_at
