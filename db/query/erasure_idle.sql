-- the first recipients, all or of some, of whom nothing was heard since: not changed, not written
-- to, no code claimed, none of their codes redeemed
SELECT id FROM recipient
WHERE erased_at IS NULL AND updated_at < $before
    AND ($ids::BIGINT[] IS NULL OR id IN (SELECT unnest($ids::BIGINT[])))
    AND id NOT IN (SELECT recipient_id FROM holding WHERE created_at >= $before)
    AND id NOT IN (
        SELECT m.recipient_id FROM holding m JOIN redemption r ON r.code_id = m.code_id
        WHERE r.redeemed_at >= $before OR r.recorded_at >= $before
    )
ORDER BY id
LIMIT $limit
