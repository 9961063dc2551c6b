-- move a delivery on in its life; a cause says why the server itself did so
UPDATE delivery SET status = $status, finished_at = $finished_at, halt_cause = $cause::VARCHAR,
    halted_at = CASE WHEN $cause::VARCHAR IS NOT NULL THEN $now END
WHERE id = $id
