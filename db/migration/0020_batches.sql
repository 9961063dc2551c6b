-- Whatever makes or voids many codes is a batch, which people know by its id and can take back.

CREATE TABLE code_batch_of_before AS FROM code_batch;
DROP TABLE code_batch;

-- One addition of codes to a pool, or one voiding of codes. Its rows outlive its codes, so that the number of a deleted code is
-- never given to another one.
CREATE TABLE code_batch (
    id         BIGINT    NOT NULL,
    kind       VARCHAR   NOT NULL CHECK (kind IN ('ADDED', 'GENERATED', 'IMPORTED', 'VOIDED')),
    coupon_id  BIGINT    NOT NULL,
    import_id  BIGINT,
    -- The numbers of the codes that it brought; none where it voided codes, and then last_id is below first_id.
    first_id   BIGINT    NOT NULL,
    last_id    BIGINT    NOT NULL,
    -- How many codes it brought or voided.
    count      BIGINT    NOT NULL,
    -- What the audit log calls who asked for it. NULL: a version did that kept no names.
    created_by VARCHAR,
    created_at TIMESTAMP NOT NULL,
    undone_at  TIMESTAMP
);

-- Nobody knows any more which batches were generated.
INSERT INTO code_batch
SELECT b.id, CASE WHEN b.import_id IS NULL THEN 'ADDED' ELSE 'IMPORTED' END, b.coupon_id, b.import_id, b.first_id, b.last_id,
    b.last_id - b.first_id + 1, NULL, b.created_at, i.undone_at
FROM code_batch_of_before b LEFT JOIN import i ON i.id = b.import_id;
DROP TABLE code_batch_of_before;

-- The batch that voided the code. NULL: a version did that kept none, or the reversal of a redemption.
ALTER TABLE code_void ADD COLUMN batch_id BIGINT;

-- What the audit log calls who asked for it. NULL: a version did that kept no names.
ALTER TABLE import ADD COLUMN created_by VARCHAR;
