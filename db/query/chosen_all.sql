-- the chosen recipients
SELECT id FROM chosen
