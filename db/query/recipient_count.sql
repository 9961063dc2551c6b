-- how many recipients there are; the condition follows
SELECT count(*) FROM recipient
