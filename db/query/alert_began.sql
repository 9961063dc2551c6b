-- when the alerts about coupons that are known began
SELECT kind, subject_id, began_at FROM alert
WHERE ended_at IS NULL AND kind = 'LOW_STOCK' AND subject_id IN (SELECT unnest($ids::BIGINT[]))
