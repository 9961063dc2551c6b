-- of the recipients that were chosen, leave out those that were erased before
DELETE FROM chosen WHERE id IN (SELECT id FROM recipient WHERE erased_at IS NOT NULL)
