-- the exports that are not done, oldest first
SELECT id FROM export WHERE status IN ('QUEUED', 'RUNNING') ORDER BY id
