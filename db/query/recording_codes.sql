-- the codes of the redemptions of a file, packed; as often as they are redeemed
SELECT string_agg(code_id, ' ') FROM recording WHERE code_id IS NOT NULL GROUP BY id // 4096
