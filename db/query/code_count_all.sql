-- how many codes there are
SELECT count(*) FROM code
