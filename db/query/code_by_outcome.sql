-- the numbers of codes that messages hold which came to this
SELECT m.code_id AS id FROM message m JOIN message_outcome o ON o.message_id = m.id
WHERE m.code_id IS NOT NULL AND list_contains($outcome::VARCHAR[], o.outcome)
    AND m.id NOT IN (SELECT message_id FROM code_return)
