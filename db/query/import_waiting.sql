-- the imports that are not done, oldest first
SELECT id FROM import WHERE status IN ('QUEUED', 'RUNNING') ORDER BY id
