-- what else was reported of addresses in quarantine. A complaint counts most, whatever comes after
-- it
UPDATE quarantine SET reason = CASE WHEN quarantine.reason = 'COMPLAINT'
    OR s.reason = 'SOFT' THEN quarantine.reason ELSE s.reason END,
    bounce_count = s.bounce_count, last_reason = coalesce(s.last_reason, quarantine.last_reason)
FROM suspect s
WHERE s.is_quarantined AND quarantine.lifted_at IS NULL AND quarantine.address_key = s.address_key
    AND quarantine.channel = s.channel
