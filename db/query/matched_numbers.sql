-- the numbers of the matched codes that were not refused, packed
SELECT string_agg(code_id, ' ') FROM matched m ANTI JOIN refused r ON r.line = m.line GROUP BY code_id // 4096
