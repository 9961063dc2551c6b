-- the codes that had a redemption which was reversed, packed
SELECT string_agg(code_id, ' ') FROM (
    SELECT DISTINCT r.code_id FROM redemption r SEMI JOIN reversal v ON v.redemption_id = r.id
    WHERE r.code_id IS NOT NULL
)
GROUP BY code_id // 4096
