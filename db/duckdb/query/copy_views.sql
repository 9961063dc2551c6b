-- the views of a database, and how they are made
SELECT sql FROM duckdb_views() WHERE database_name = $database AND NOT internal AND NOT temporary
