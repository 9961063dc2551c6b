-- the imports, by their files, and what became of them
SELECT file_name, 'import_' || id, status, rows_read, rows_imported, rows_rejected,
    coalesce(failure, '') FROM import WHERE starts_with(file_name, 'mk')
