-- of the addresses in touched those that are to be in quarantine, and whether they are. What was
-- reported before an address was lifted does not count; $soft_limit soft bounces count as a hard
-- one, $window_days back from the last and after what was delivered
CREATE OR REPLACE TEMP TABLE suspect AS
WITH report AS (
    SELECT b.channel, b.address_key, b.kind, b.happened_at, b.reason FROM bounce b
    /* and those staged */
), fact AS (
    SELECT t.*, p.kind, p.happened_at, p.reason,
        coalesce(max(CASE WHEN p.kind = 'DELIVERED' THEN p.happened_at END) OVER same,
        '-infinity'::TIMESTAMP) AS delivered_at,
        max(CASE WHEN p.kind = 'SOFT' THEN p.happened_at END) OVER same AS soft_at
    FROM touched t JOIN report p ON p.address_key = t.address_key AND p.channel = t.channel
    WHERE t.lifted_at IS NULL OR p.happened_at > t.lifted_at
    WINDOW same AS (PARTITION BY t.channel, t.address_key)
)
SELECT channel, address_key, address, is_quarantined,
    CASE WHEN count_if(kind = 'COMPLAINT') > 0 THEN 'COMPLAINT'
        WHEN count_if(kind = 'HARD') > 0 THEN 'HARD' ELSE 'SOFT' END AS reason,
    count_if(kind <> 'DELIVERED') AS bounce_count,
    arg_max(reason, CASE WHEN kind <> 'DELIVERED' THEN happened_at END) AS last_reason
FROM fact
GROUP BY channel, address_key, address, is_quarantined
HAVING is_quarantined OR count_if(kind IN ('HARD', 'COMPLAINT')) > 0
    OR count_if(kind = 'SOFT' AND happened_at > delivered_at
        AND happened_at >= soft_at - to_days($window_days)) >= $soft_limit
