-- erased addresses are in quarantine no longer: nothing of them is known
DELETE FROM quarantine
WHERE (channel, address_key) IN (SELECT (channel, address_key) FROM erased_address)
