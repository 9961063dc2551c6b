-- the codes of an addition that were to take the place of codes that stay
SELECT id FROM code
WHERE id BETWEEN $first_id AND $last_id AND key IN (SELECT unnest($keys::VARCHAR[])) ORDER BY id
