-- take the reports of an import back
DELETE FROM bounce WHERE import_id = $import_id
