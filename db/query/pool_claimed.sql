-- the codes that claims hold, packed: by which channel, their codes, who claimed them and when
SELECT c.channel, string_agg(c.code_id, ' ' ORDER BY c.id),
    string_agg(c.recipient_id, ' ' ORDER BY c.id),
    string_agg(epoch_us(c.claimed_at), ' ' ORDER BY c.id)
FROM claim c ANTI JOIN code_return r ON r.message_id = c.id
GROUP BY 1, c.id // 4096
ORDER BY min(c.id)
