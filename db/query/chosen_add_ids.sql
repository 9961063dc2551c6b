-- choose recipients by number, those that exist
INSERT INTO chosen SELECT id FROM recipient WHERE id IN (SELECT unnest($ids::BIGINT[]))
