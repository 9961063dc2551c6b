-- alerts of which a receiver is to be told, those that wait longest first
SELECT id, kind, subject_id, due_at, text, began_at, attempts, tell_at FROM alert WHERE is_untold
ORDER BY tell_at, id LIMIT $limit
