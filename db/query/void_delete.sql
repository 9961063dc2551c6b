-- take back that codes are voided, in the transaction that voided them
DELETE FROM code_void WHERE code_id IN (SELECT unnest($ids::BIGINT[]))
