-- the next numbers of what only grows
SELECT coalesce((SELECT max(id) FROM code_batch), 0) + 1,
    coalesce((SELECT max(last_id) FROM code_batch), 0) + 1,
    coalesce((SELECT max(id) FROM recipient), 0) + 1,
    coalesce((SELECT max(id) FROM holding), 0) + 1,
    coalesce((SELECT max(id) FROM redemption), 0) + 1
