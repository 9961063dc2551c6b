-- keep the rows whose codes cannot be voided any more with their import
INSERT INTO rejection (import_id, line, reason, value)
SELECT $import_id, m.line, k.reason, m.raw
FROM matched m
ANTI JOIN rejected r ON r.line = m.line
JOIN (SELECT unnest($ids::BIGINT[]) AS code_id, unnest($reasons::VARCHAR[]) AS reason) k
    ON k.code_id = m.code_id
ORDER BY m.line
