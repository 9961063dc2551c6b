-- the voided codes, packed
SELECT string_agg(code_id, ' ') FROM code_void GROUP BY code_id // 4096
