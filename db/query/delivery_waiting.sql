-- the deliveries that are to be sent now or later
SELECT id, status, contact_at FROM delivery WHERE status IN ('SCHEDULED', 'IN_PROGRESS') ORDER BY contact_at
