-- What a message that was not handed over was canceled for, and what nobody knows the outcome of.

ALTER TABLE sending RENAME TO settled;

-- A message is settled: it was handed over, failed for good, was canceled, or was handed over completely and never answered.
CREATE TABLE sending (
    message_id  BIGINT    NOT NULL,
    delivery_id BIGINT    NOT NULL,
    outcome     VARCHAR   NOT NULL CHECK (outcome IN ('SENT', 'FAILED', 'CANCELED', 'UNKNOWN')),
    settled_at  TIMESTAMP NOT NULL,
    failure     VARCHAR,
    -- Why it was canceled.
    reason      VARCHAR,
    CHECK ((outcome = 'CANCELED') = (reason IS NOT NULL))
);

-- Until now a message was canceled with its delivery, with its recipient, or with its code, for which people gave reasons of
-- their own. What was said of erased recipients' messages was overwritten later.
INSERT INTO sending
SELECT s.message_id, s.delivery_id, s.outcome, s.settled_at, s.failure,
    CASE
        WHEN s.outcome <> 'CANCELED' THEN NULL
        WHEN s.failure = 'The delivery was stopped.' OR d.status = 'STOPPED' AND s.settled_at = d.finished_at THEN 'DELIVERY_STOPPED'
        WHEN s.failure = 'The recipient was erased.' THEN 'ERASED'
        ELSE 'CODE_RELEASED'
    END
FROM settled s LEFT JOIN delivery d ON d.id = s.delivery_id;

DROP TABLE settled;

ALTER TABLE delivery ADD COLUMN unknown_count BIGINT DEFAULT 0;

-- Why the server itself stopped or paused the delivery, and when. NULL: it did not.
ALTER TABLE delivery ADD COLUMN halt_cause VARCHAR;
ALTER TABLE delivery ADD COLUMN halted_at TIMESTAMP;

-- Whether the attempt is one of those that a message has. What was about the sender or the line is none.
ALTER TABLE sending_refusal ADD COLUMN is_counted BOOLEAN DEFAULT true;
