-- an import is undone, unless one of its batches is not; the first time counts
UPDATE import SET undone_at = coalesce(undone_at, $now)
WHERE (id = $import_id OR id = (SELECT import_id FROM code_batch WHERE id = $id))
    AND NOT EXISTS (FROM code_batch b WHERE b.import_id = import.id AND b.undone_at IS NULL)
