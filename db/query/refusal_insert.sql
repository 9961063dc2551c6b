-- record what came of attempts that were not accepted. retry_at '' (a list has one type): never
INSERT INTO sending_refusal (message_id, delivery_id, number, refused_at, reason, may_be_sent,
    repeats_batch, retry_at, is_counted)
SELECT unnest($ids::BIGINT[]), $delivery_id, $number, $now, unnest($reasons::VARCHAR[]),
    unnest($may_be_sent::BOOLEAN[]),
    unnest($repeats_batch::BOOLEAN[]), nullif(unnest($retry_at::VARCHAR[]), '')::TIMESTAMP,
    unnest($is_counted::BOOLEAN[])
