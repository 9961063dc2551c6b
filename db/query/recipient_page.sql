-- the numbers of recipients; the condition and the limit follow
SELECT id FROM recipient
