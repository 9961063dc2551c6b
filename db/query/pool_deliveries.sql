-- what is kept of the deliveries that were confirmed
SELECT id, channel, confirmed_at FROM delivery WHERE confirmed_at IS NOT NULL
