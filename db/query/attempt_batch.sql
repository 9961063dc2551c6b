-- the number of the next batch that is handed over
SELECT nextval('sending_batch_id')
