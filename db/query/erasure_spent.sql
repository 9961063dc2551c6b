-- the redemptions that forget their customer: of codes that chosen recipients had, and of customers
-- who are named. The message tells in which delivery the recipient had the code, and the claim
-- when it was given: before and after, others may have had it
CREATE OR REPLACE TEMP TABLE erased_redemption AS
SELECT id, customer FROM posted_redemption
WHERE customer IS NOT NULL AND (
    customer IN (SELECT unnest($customers::VARCHAR[]))
    OR (code_id, delivery_id) IN (
        SELECT (code_id, delivery_id) FROM message
        WHERE recipient_id IN (SELECT id FROM chosen) AND code_id IS NOT NULL
    )
    OR delivery_id IS NULL AND (code_id, assigned_at) IN (
        SELECT (code_id, claimed_at) FROM posted_claim
        WHERE recipient_id IN (SELECT id FROM chosen)
    )
)
