-- the number of the next delivery
SELECT nextval('delivery_id')
