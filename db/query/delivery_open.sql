-- whether a delivery has messages that may still leave
SELECT count(*) > 0 FROM delivery WHERE status IN ('SCHEDULED', 'IN_PROGRESS', 'PAUSED')
