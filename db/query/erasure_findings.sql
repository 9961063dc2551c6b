-- forget how a file was written, where what was taken for the name of a column is known of erased recipients
UPDATE import SET findings = json_merge_patch(findings::JSON, '{"layout": null, "warnings": null}')::VARCHAR
WHERE id IN (
    SELECT id FROM (SELECT id, unnest(json_extract_string(findings, '$.layout.columns[*].name')) AS name FROM import WHERE findings IS NOT NULL)
    WHERE lower(trim(name)) IN (SELECT text FROM erased)
)
