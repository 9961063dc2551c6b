-- the number of the next key
SELECT nextval('api_key_id')
