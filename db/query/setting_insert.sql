-- record what was chosen when the database was made
INSERT INTO setting (name, value) VALUES ($name, $value)
