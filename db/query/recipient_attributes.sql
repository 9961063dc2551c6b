-- what is known and what is staged of the attributes of known recipients, where the staged ones are
-- changes
SELECT s.line, r.attributes, s.attributes, s.removed
FROM (FROM stage ANTI JOIN rejected ON rejected.line = stage.line) s
JOIN recipient r ON r.external_id = s.external_id
WHERE s.given & 64 > 0
