-- the numbers of all uploads
SELECT id FROM upload
