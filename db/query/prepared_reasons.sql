-- how many targets were left out for which reason; NULL counts those who get a message
SELECT reason, count(*) FROM prepared GROUP BY reason
