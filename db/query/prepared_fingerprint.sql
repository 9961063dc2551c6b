-- what stands for exactly these messages. Who redeemed the code since is left out without another
-- analysis: where codes are carried again, they count as if they got theirs
SELECT count(*) || ':' || coalesce(bit_xor(hash(recipient_id, address, label)), 0)
    || CASE WHEN count(*) FILTER (reason IS NOT NULL OR repeats_id IS NOT NULL) = 0 THEN ''
        ELSE ':' || coalesce(bit_xor(hash(recipient_id))
            FILTER (reason IS NULL AND repeats_id IS NULL), 0) END
FROM prepared
WHERE reason IS NULL OR reason = 'ALREADY_REDEEMED'
