-- the numbers of codes that a message once held and gave back, packed
SELECT string_agg(code_id, ' ') FROM (SELECT DISTINCT code_id FROM code_return)
GROUP BY code_id // 4096
