-- record the outcome of an analysis
UPDATE delivery SET analysis = $analysis, status = $status WHERE id = $id
