-- What needs attention, from when it was first seen until it is over and whoever wants to hear of it has.

CREATE SEQUENCE alert_id;

CREATE TABLE alert (
    id         BIGINT    NOT NULL,
    kind       VARCHAR   NOT NULL,
    -- The number of the coupon, import or delivery, as the kind says.
    subject_id BIGINT    NOT NULL,
    -- When something will end, or did happen, and what was to be told, when the alert began.
    due_at     TIMESTAMP NOT NULL,
    text       VARCHAR   NOT NULL,
    began_at   TIMESTAMP NOT NULL,
    ended_at   TIMESTAMP,
    -- Whether and when a receiver outside is to be told that it began, and how often that failed.
    is_untold  BOOLEAN   NOT NULL,
    attempts   INTEGER   NOT NULL,
    tell_at    TIMESTAMP NOT NULL
);
