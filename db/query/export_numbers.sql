-- the numbers of exports whose files are kept
SELECT id FROM export WHERE expires_at > $now OR status IN ('QUEUED', 'RUNNING')
