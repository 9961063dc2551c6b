-- the number of the next export
SELECT nextval('export_id')
