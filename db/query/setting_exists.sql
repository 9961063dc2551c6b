-- whether this is a database of couponql
SELECT count(*) FROM duckdb_tables() WHERE table_name = 'setting'
