-- the deliveries that a server would send by itself
SELECT id FROM delivery WHERE status IN ('SCHEDULED', 'IN_PROGRESS') ORDER BY id
