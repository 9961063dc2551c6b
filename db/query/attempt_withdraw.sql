-- take attempts back that were not made: the messages of a batch were withheld from the sender
DELETE FROM sending_attempt WHERE batch_id = $batch_id AND number = $number
    AND message_id IN (SELECT unnest($ids::BIGINT[]))
