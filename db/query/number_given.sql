-- how many numbers of a kind were given out
SELECT given FROM number WHERE kind = $kind
