-- the sequences of a database, each with its next number
SELECT sequence_name, coalesce(last_value + increment_by, start_value) FROM duckdb_sequences() WHERE database_name = $database ORDER BY sequence_name
