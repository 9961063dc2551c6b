-- remove from the journal what was posted in the same transaction
DELETE FROM journal
