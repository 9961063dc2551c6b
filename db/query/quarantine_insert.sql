-- put addresses in quarantine
INSERT INTO quarantine (id, channel, address_key, address, reason, bounce_count, last_reason, since)
SELECT (SELECT coalesce(max(id), 0) FROM quarantine) + row_number() OVER (ORDER BY channel,
    address_key), channel, address_key, trim(address), reason,
    bounce_count, last_reason, $now
FROM suspect WHERE NOT is_quarantined
ORDER BY channel, address_key
