-- how many imports there are
SELECT count(*) FROM import
WHERE ($kind::VARCHAR IS NULL OR kind = $kind)
    AND ($status::VARCHAR[] IS NULL OR list_contains($status::VARCHAR[], status))
