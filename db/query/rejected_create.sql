-- a place for the rows that are not imported
CREATE OR REPLACE TEMP TABLE rejected (line BIGINT, reason VARCHAR, value VARCHAR)
