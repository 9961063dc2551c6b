-- the external ids of recipients from a number on, but for those who were erased
SELECT id, external_id FROM recipient WHERE id >= $from AND id < $to AND erased_at IS NULL
