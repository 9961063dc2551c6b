-- when the first thing happened that statistics count; no message was sent before it was made
SELECT least((SELECT min(confirmed_at) FROM delivery), (SELECT min(redeemed_at) FROM redemption),
    (SELECT min(claimed_at) FROM claim))
