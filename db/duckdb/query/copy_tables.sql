-- the tables of a database, and how they are made
SELECT table_name, sql FROM duckdb_tables() WHERE database_name = $database AND NOT temporary
ORDER BY table_oid
