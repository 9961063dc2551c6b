-- the record of migrations
CREATE TABLE IF NOT EXISTS migration (name VARCHAR NOT NULL, checksum VARCHAR NOT NULL,
    applied_at TIMESTAMP NOT NULL)
