-- what is still reported of addresses in quarantine, after some reports were taken back
UPDATE quarantine SET reason = s.reason, bounce_count = s.bounce_count, last_reason = s.last_reason
FROM suspect s
WHERE quarantine.lifted_at IS NULL AND quarantine.address_key = s.address_key
    AND quarantine.channel = s.channel
