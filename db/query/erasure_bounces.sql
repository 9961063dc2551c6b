-- nothing is left of what was reported of erased addresses alone
DELETE FROM bounce
WHERE message_id IS NULL
    AND (channel, address_key) IN (SELECT (channel, address_key) FROM erased_address)
