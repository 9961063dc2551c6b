-- how many rows were rejected
SELECT count(*) FROM rejected
