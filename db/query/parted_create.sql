-- a place for the targets of a delivery that parts take
CREATE OR REPLACE TEMP TABLE parted (part INTEGER, recipient_id BIGINT)
