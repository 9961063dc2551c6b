-- forget which labels an analysis found short, where one is known of erased recipients: it is what
-- an attribute says
UPDATE delivery
SET analysis = json_merge_patch(analysis::JSON, '{"shortByLabel": [], "remedies": []}')::VARCHAR
WHERE id IN (
    SELECT id FROM (SELECT id, unnest(json_extract_string(analysis,
        '$.shortByLabel[*].label')) AS label FROM delivery WHERE analysis IS NOT NULL)
    WHERE lower(trim(label)) IN (SELECT text FROM erased)
)
