-- what stands for exactly these messages
SELECT count(*) || ':' || coalesce(bit_xor(hash(recipient_id, address, label)), 0) FROM prepared
WHERE reason IS NULL
