-- a backup has no uploaded files
DELETE FROM upload
