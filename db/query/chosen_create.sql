-- a place for recipients that were chosen
CREATE OR REPLACE TEMP TABLE chosen (id BIGINT)
