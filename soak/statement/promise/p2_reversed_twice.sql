-- a redemption was reversed twice
SELECT 'redemption_' || redemption_id FROM reversal GROUP BY redemption_id HAVING count(*) > 1
