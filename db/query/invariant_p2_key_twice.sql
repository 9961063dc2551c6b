-- P2: an idempotency key of a caller counts for one redemption, for a day at least
SELECT 'redemption_' || id FROM (
    SELECT id, recorded_at - lag(recorded_at) OVER (PARTITION BY caller, idempotency_key
        ORDER BY recorded_at) AS since
    FROM redemption WHERE idempotency_key IS NOT NULL AND hash(idempotency_key, caller) IN (
        SELECT hash(idempotency_key, caller) FROM redemption WHERE idempotency_key IS NOT NULL
        GROUP BY hash(idempotency_key, caller) HAVING count(*) > 1
    )
) WHERE since < INTERVAL 24 HOUR
