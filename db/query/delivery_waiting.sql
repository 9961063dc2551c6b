-- the deliveries that are to be sent now or later, and those stopped ones of which a sender is busy
-- with messages
SELECT id, status, contact_at FROM delivery WHERE status IN ('SCHEDULED', 'IN_PROGRESS')
    OR status = 'STOPPED'
        AND sent_count + failed_count + canceled_count + unknown_count < message_count
ORDER BY contact_at
