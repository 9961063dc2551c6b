-- what a restored database sends is not what it sent before under the same numbers
UPDATE setting SET value = replace(uuid()::VARCHAR, '-', '') WHERE name = 'database_id'
