-- record the staged reports that were not rejected
INSERT INTO bounce (message_id, delivery_id, channel, address_key, kind, happened_at, reason,
    import_id, recorded_at)
SELECT s.message_id, s.delivery_id, s.channel, s.address_key, s.kind, s.happened_at, s.reason,
    $import_id, $now
FROM stage s ANTI JOIN rejected r ON r.line = s.line
ORDER BY s.line
