-- rows of an import that did not succeed, or only tried, are there
SELECT 'import_' || id || ' is ' || status FROM import
WHERE (status <> 'SUCCEEDED' OR is_dry_run)
    AND (EXISTS (FROM code_batch b WHERE b.import_id = import.id)
        OR EXISTS (FROM redemptions r WHERE r.import_id = import.id))
