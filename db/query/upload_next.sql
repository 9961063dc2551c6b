-- the number of the next upload
SELECT nextval('upload_id')
