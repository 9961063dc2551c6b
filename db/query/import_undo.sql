-- an import is undone; the first time counts
UPDATE import SET undone_at = coalesce(undone_at, $now) WHERE id = $id
