-- the numbers of the matched codes that were not rejected, packed
SELECT string_agg(code_id, ' ') FROM matched m ANTI JOIN rejected r ON r.line = m.line
GROUP BY code_id // 4096
