-- the recipients of the staged rows, in the order of the rows
SELECT r.id FROM stage s JOIN recipient r ON r.external_id = s.external_id ORDER BY s.line
