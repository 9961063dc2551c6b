-- forget how a file was written, where what was taken for the name of a column, or what a warning
-- tells, is known of erased recipients; and the first rows of all files that name recipients, as
-- they may be written otherwise than what is known
UPDATE import SET findings = CASE
    WHEN id IN (
        SELECT id FROM (
            SELECT id, unnest(list_concat(
                json_extract_string(findings, '$.layout.columns[*].name'),
                json_extract_string(findings, '$.warnings[*].value')
            )) AS name
            FROM import WHERE findings IS NOT NULL
        )
        WHERE lower(trim(name)) IN (SELECT text FROM erased)
    ) THEN json_merge_patch(findings::JSON, '{"layout": null, "warnings": null}')::VARCHAR
    ELSE json_merge_patch(findings::JSON, '{"layout": {"sample": null}}')::VARCHAR
END
WHERE findings IS NOT NULL AND (
    kind IN ('RECIPIENTS', 'TARGETS', 'BOUNCES', 'REDEMPTIONS')
    AND json_exists(findings, '$.layout.sample')
    OR id IN (
        SELECT id FROM (
            SELECT id, unnest(list_concat(
                json_extract_string(findings, '$.layout.columns[*].name'),
                json_extract_string(findings, '$.warnings[*].value')
            )) AS name
            FROM import WHERE findings IS NOT NULL
        )
        WHERE lower(trim(name)) IN (SELECT text FROM erased)
    )
)
