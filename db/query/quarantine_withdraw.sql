-- addresses leave quarantine, as if they had never been there, that were not in it before an import
-- and that nothing else keeps there
DELETE FROM quarantine
WHERE lifted_at IS NULL AND (channel, address_key) IN (
    SELECT (t.channel, t.address_key)
    FROM (SELECT * FROM touched WHERE NOT is_quarantined) t
    ANTI JOIN suspect s ON s.address_key = t.address_key AND s.channel = t.channel
)
