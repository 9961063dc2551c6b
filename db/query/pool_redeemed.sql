-- how often each code is redeemed, packed by count
SELECT times, string_agg(code_id, ' ')
FROM (SELECT code_id, count(*) AS times FROM redemption r
    ANTI JOIN reversal v ON v.redemption_id = r.id WHERE code_id IS NOT NULL GROUP BY code_id)
GROUP BY times, code_id // 4096
