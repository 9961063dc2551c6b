-- the settings of a database
SELECT name, value FROM setting
