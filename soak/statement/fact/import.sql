-- imports, by their files
SELECT file_name, 'import_' || id, 'there' FROM import
