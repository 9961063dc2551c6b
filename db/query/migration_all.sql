-- the record of migrations
SELECT name, checksum FROM migration
