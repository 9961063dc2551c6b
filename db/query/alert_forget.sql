-- forget alerts that are over and that nobody has to be told of
DELETE FROM alert WHERE ended_at IS NOT NULL AND NOT is_untold
