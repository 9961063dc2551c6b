-- change a setting that is there
UPDATE setting SET value = $value WHERE name = $name
