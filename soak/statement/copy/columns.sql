-- the columns that hold text, with their tables
SELECT table_name, column_name FROM duckdb_columns()
WHERE NOT internal AND data_type = 'VARCHAR' AND database_name = current_database()
    AND table_name IN (SELECT table_name FROM duckdb_tables() WHERE NOT temporary)
ORDER BY ALL
