-- how many rows were refused
SELECT count(*) FROM refused
