-- record that a redemption was reversed
INSERT INTO reversal VALUES ($id, $now, $reason)
