-- delete the codes that nobody ever had
DELETE FROM code WHERE id BETWEEN (SELECT min(id) FROM unused) AND (SELECT max(id) FROM unused)
    AND id IN (FROM unused)
