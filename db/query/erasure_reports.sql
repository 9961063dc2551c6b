-- what was reported of erased recipients' messages stays as a number alone
UPDATE bounce SET address_key = NULL, reason = NULL
WHERE message_id IN (SELECT id FROM message WHERE recipient_id IN (SELECT id FROM chosen))
