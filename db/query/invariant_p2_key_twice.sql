-- P2: an idempotency key counts for one redemption, for a day at least
SELECT 'redemption_' || id FROM (
    SELECT id, recorded_at - lag(recorded_at) OVER (PARTITION BY idempotency_key ORDER BY recorded_at) AS since
    FROM redemption WHERE idempotency_key IS NOT NULL AND hash(idempotency_key) IN (
        SELECT hash(idempotency_key) FROM redemption WHERE idempotency_key IS NOT NULL GROUP BY hash(idempotency_key) HAVING count(*) > 1
    )
) WHERE since < INTERVAL 24 HOUR
