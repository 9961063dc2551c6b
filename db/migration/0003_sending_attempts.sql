-- Handing messages over to a sender that can refuse them or leave open what became of them. What goes to the
-- outbox has no rows here.

CREATE SEQUENCE sending_batch_id;

-- A message was on its way in a batch: written before the batch is handed over, so that a batch that a crash
-- interrupted is handed over again as it was. An attempt without a refusal was accepted, or nobody knows.
CREATE TABLE sending_attempt (
    message_id  BIGINT    NOT NULL,
    delivery_id BIGINT    NOT NULL,
    -- How often the message was handed over, with this time.
    number      INTEGER   NOT NULL,
    batch_id    BIGINT    NOT NULL,
    -- How many messages the batch has.
    batch_size  INTEGER   NOT NULL,
    began_at    TIMESTAMP NOT NULL
);

-- What came of an attempt, unless the message was accepted.
CREATE TABLE sending_refusal (
    message_id    BIGINT    NOT NULL,
    delivery_id   BIGINT    NOT NULL,
    number        INTEGER   NOT NULL,
    refused_at    TIMESTAMP NOT NULL,
    reason        VARCHAR   NOT NULL,
    -- This attempt or an earlier one may have reached the recipient: the code stays with the message.
    may_be_sent   BOOLEAN   NOT NULL,
    -- Nobody answered for the batch, so that it is repeated as it was.
    repeats_batch BOOLEAN   NOT NULL,
    -- NULL: the message failed.
    retry_at      TIMESTAMP
);

-- What tells the messages of this database from those of every other one.
INSERT INTO setting VALUES ('database_id', replace(uuid()::VARCHAR, '-', ''));
