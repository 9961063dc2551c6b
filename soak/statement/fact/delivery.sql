-- deliveries, by their labels
SELECT label, 'delivery_' || id, CASE WHEN status IN ('EDITING', 'READY') THEN 'open'
    WHEN status IN ('STOPPED', 'FAILED') THEN lower(status) ELSE 'sending' END FROM delivery
