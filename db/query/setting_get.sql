-- what was chosen when the database was made, by name
SELECT value FROM setting WHERE name = $name
