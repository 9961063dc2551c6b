-- take codes back that were added in the same transaction
DELETE FROM code WHERE id BETWEEN $first AND $last AND id IN (SELECT unnest($ids::BIGINT[]))
