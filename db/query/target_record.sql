-- record how many targets a delivery has
UPDATE delivery SET target_count = $count WHERE id = $id
