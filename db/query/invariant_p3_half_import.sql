-- P3: nothing of an import that did not succeed is there
SELECT 'import_' || i.id FROM import i
WHERE (i.status <> 'SUCCEEDED' OR i.is_dry_run)
    AND (i.id IN (SELECT import_id FROM code_batch) OR i.id IN (SELECT import_id FROM redemption))
