-- choose recipients by number, those that exist
INSERT INTO chosen SELECT id FROM recipient WHERE list_contains($ids::BIGINT[], id)
