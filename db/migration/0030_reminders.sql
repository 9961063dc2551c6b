-- Deliveries that give a code again, or none to who has one.

-- NEW_CODE, SAME_CODE or SKIP_HOLDERS.
ALTER TABLE delivery ADD COLUMN reuse VARCHAR DEFAULT 'NEW_CODE';

-- A message that gives no code of its own carries again what an earlier message gave the same
-- person: which message, and its code. NULL: it repeats none.
ALTER TABLE message ADD COLUMN repeats_id BIGINT;
ALTER TABLE message ADD COLUMN repeated_code_id BIGINT;
