-- P4: a delivery that is over has no pending message
SELECT 'delivery_' || id FROM delivery WHERE status IN ('FINISHED', 'STOPPED', 'FAILED') AND sent_count + failed_count + canceled_count < message_count
