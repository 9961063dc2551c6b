-- how many targets a delivery has, and the last one's place
SELECT count(*), coalesce(max(seq), 0) FROM target WHERE delivery_id = $id
