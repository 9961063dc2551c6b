-- make room for the recipients that are to be written anew
DELETE FROM recipient WHERE id IN (SELECT id FROM merged)
