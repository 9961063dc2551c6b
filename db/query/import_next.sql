-- the number of the next import
SELECT nextval('import_id')
