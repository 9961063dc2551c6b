-- a place for the numbers of codes that nobody ever had
CREATE OR REPLACE TEMP TABLE unused (id BIGINT)
