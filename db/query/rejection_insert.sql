-- keep rows that were rejected in the writer's turn with their import
INSERT INTO rejection (import_id, line, reason, value)
SELECT $import_id, unnest($lines::BIGINT[]), unnest($reasons::VARCHAR[]),
    nullif(unnest($values::VARCHAR[]), '')
