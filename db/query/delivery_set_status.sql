-- move a delivery on in its life
UPDATE delivery SET status = $status, finished_at = $finished_at WHERE id = $id
