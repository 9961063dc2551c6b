-- add lines to the log of a delivery
INSERT INTO delivery_log (delivery_id, round, seq, logged_at, level, text)
SELECT $id, $round, $seq + unnest(range(1, len($levels::VARCHAR[]) + 1)), $now,
    unnest($levels::VARCHAR[]), unnest($texts::VARCHAR[])
