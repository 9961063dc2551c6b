-- the rejected rows
SELECT line, reason, value FROM rejected ORDER BY line
