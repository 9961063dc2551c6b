-- Recipients of whom only a number is left, so that what was counted stays.

ALTER TABLE recipient ADD COLUMN erased_at TIMESTAMP;
