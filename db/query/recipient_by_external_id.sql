-- a recipient by the caller's own id
SELECT id FROM recipient WHERE external_id = $external_id
