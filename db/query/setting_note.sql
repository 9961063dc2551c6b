-- record something that may have been recorded before
INSERT INTO setting (name, value) SELECT $name, $value
WHERE NOT EXISTS (SELECT 1 FROM setting WHERE name = $name)
