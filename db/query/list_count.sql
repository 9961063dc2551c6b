-- how many lists of recipients there are
SELECT count(*) FROM recipient_list
